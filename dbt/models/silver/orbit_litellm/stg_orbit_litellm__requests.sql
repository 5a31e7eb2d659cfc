with

source as (

    {{ union_instances('litellm', 'spend_logs', [
        'request_id', 'start_time', 'user_', 'model', 'status', 'spend', 'total_tokens',
    ], client='orbit') }}

),

requests as (

    select
        {{ text_or_null('request_id') }} as request_id,
        cast({{ utc_or_null('start_time') }} as date) as usage_date,
        {{ hash_pii('user_') }} as user_id,
        {{ text_or_null('model') }} as model,
        {{ text_or_null('status') }} as status,
        {{ decimal_or_null('spend') }} as spend_dollars,
        -- The gateway writes zeros for a failure, of which nothing was measured.
        case when {{ text_or_null('status') }} = 'success' then {{ integer_or_null('total_tokens') }} end as tokens,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from requests
