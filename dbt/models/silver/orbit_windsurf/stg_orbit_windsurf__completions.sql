with

source as (

    {{ union_instances('windsurf', 'autocomplete', ['bucket_start', 'item'], client='orbit') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('item') }} as fields
    from source

),

completions as (

    select
        {{ surrogate_key(['bucket_start', json_text('fields', ['api_key']), json_text('fields', ['language']), json_text('fields', ['ide'])]) }} as completion_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ hash_pii(json_text('fields', ['api_key'])) }} as api_key_hash,
        {{ json_text('fields', ['language']) }} as language,
        {{ json_text('fields', ['ide']) }} as editor,
        -- Zeros are left out.
        coalesce({{ integer_or_null(json_text('fields', ['num_acceptances'])) }}, 0) as accepted_suggestion_count,
        coalesce({{ integer_or_null(json_text('fields', ['num_lines_accepted'])) }}, 0) as accepted_line_count,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from parsed

)

select * from completions
