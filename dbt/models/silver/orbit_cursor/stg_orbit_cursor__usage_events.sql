with

source as (

    {{ union_instances('cursor', 'usage_events', [
        'bucket_start',
        'user_email',
        'model',
        'is_token_based_call',
        'token_usage',
        'charged_cents',
        'timestamp',
    ], client='orbit') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('token_usage') }} as tokens
    from source

),

hashed as (

    select
        {{ surrogate_key(['timestamp', engineer_id('user_email'), 'model', 'token_usage', 'charged_cents']) }} as event_hash,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ engineer_id('user_email') }} as engineer_id,
        {{ text_or_null('model') }} as model,
        coalesce({{ boolean_or_null('is_token_based_call') }}, false) as is_token_based,
        coalesce({{ integer_or_null(json_text('tokens', ['inputTokens'])) }}, 0)
        + coalesce({{ integer_or_null(json_text('tokens', ['cacheReadTokens'])) }}, 0)
        + coalesce({{ integer_or_null(json_text('tokens', ['cacheWriteTokens'])) }}, 0) as input_tokens,
        {{ integer_or_null(json_text('tokens', ['outputTokens'])) }} as output_tokens,
        {{ decimal_or_null('charged_cents') }} as charged_cents,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from parsed

),

-- Events have no id, and two may be equal.
numbered as (

    select
        hashed.*,
        row_number() over (partition by event_hash order by loaded_at) as place
    from hashed

),

events as (

    select
        {{ surrogate_key(['event_hash', 'place']) }} as event_id,
        usage_date,
        engineer_id,
        model,
        is_token_based,
        input_tokens,
        output_tokens,
        charged_cents,
        loaded_at
    from numbered

)

select * from events
