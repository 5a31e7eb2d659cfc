with

requests as (

    select * from {{ ref('stg_orbit_litellm__requests') }}

),

users as (

    select * from {{ ref('stg_orbit_litellm__users') }}

),

parts as (

    select
        -- A user whom the list does not have, or has without an address, keeps an id of their own.
        coalesce(users.engineer_id, requests.user_id) as engineer_id,
        requests.usage_date as date_day,
        1 as request_count,
        requests.tokens as reported_tokens,
        {{ usd_of('requests.spend_dollars', 'dollars') }} as cost_usd,
        requests.loaded_at
    from requests
    left join users on requests.user_id = users.user_id

),

days as (

    {{ ai_tool_days('litellm', 'parts', ['request_count', 'reported_tokens', 'cost_usd']) }}

)

select * from days
