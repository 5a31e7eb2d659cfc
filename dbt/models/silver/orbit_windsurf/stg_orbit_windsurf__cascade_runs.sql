with

source as (

    {{ union_instances('windsurf', 'cascade_runs', [
        'bucket_start', 'email', 'cascade_id', 'model', 'messages_sent', 'prompts_used',
    ], client='orbit') }}

),

runs as (

    select
        {{ text_or_null('cascade_id') }} as cascade_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ engineer_id('email') }} as engineer_id,
        {{ text_or_null('model') }} as model,
        -- Zeros are left out.
        coalesce({{ integer_or_null('messages_sent') }}, 0) as message_count,
        cast(coalesce({{ decimal_or_null('prompts_used') }}, 0) as decimal(24, 10)) as credit_hundredths,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from runs
