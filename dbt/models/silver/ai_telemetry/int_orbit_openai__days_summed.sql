with

completions as (

    select * from {{ ref('stg_orbit_openai__completions') }}

),

embeddings as (

    select * from {{ ref('stg_orbit_openai__embeddings') }}

),

images as (

    select * from {{ ref('stg_orbit_openai__images') }}

),

costs as (

    select * from {{ ref('stg_orbit_openai__costs') }}

),

users as (

    select * from {{ ref('stg_orbit_openai__users') }}

),

requests as (

    select
        usage_date as date_day,
        project_id,
        user_id,
        request_count,
        -- Cached tokens are in the input.
        coalesce(input_tokens, 0) + coalesce(output_tokens, 0) as tokens,
        loaded_at
    from completions

    union all

    select
        usage_date as date_day,
        project_id,
        user_id,
        request_count,
        input_tokens as tokens,
        loaded_at
    from embeddings

    union all

    select
        usage_date as date_day,
        project_id,
        user_id,
        request_count,
        cast(null as bigint) as tokens,
        loaded_at
    from images

),

usages as (

    select
        requests.*,
        users.engineer_id
    from requests
    left join users on requests.user_id = users.user_id

),

billed_costs as (

    select
        cost_date as date_day,
        project_id,
        amount_dollars as amount,
        loaded_at
    from costs

),

-- The bill knows projects, usage knows people.
cost_shares as (

    {{ shared_costs('billed_costs', 'usages', ['date_day', 'project_id']) }}

),

parts as (

    select
        engineer_id,
        date_day,
        request_count,
        tokens as reported_tokens,
        cast(null as decimal(18, 8)) as cost_usd,
        loaded_at
    from usages

    union all

    select
        engineer_id,
        date_day,
        cast(null as bigint) as request_count,
        cast(null as bigint) as reported_tokens,
        {{ usd_of('amount', 'dollars') }} as cost_usd,
        loaded_at
    from cost_shares

),

days as (

    {{ ai_tool_days('openai', 'parts', ['request_count', 'reported_tokens', 'cost_usd']) }}

)

select * from days
