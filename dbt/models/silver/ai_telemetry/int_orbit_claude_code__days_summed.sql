with

code_days as (

    select * from {{ ref('stg_orbit_anthropic__claude_code_days') }}

),

usages as (

    select * from {{ ref('stg_orbit_anthropic__claude_code_usages') }}

),

users as (

    select * from {{ ref('stg_orbit_anthropic__users') }}

),

-- Somebody who works with a key is told by its name; a name that two people gave is nobody's.
key_makers as (

    select
        api_keys.api_key_name_hash,
        min(users.engineer_id) as engineer_id
    from {{ ref('stg_orbit_anthropic__api_keys') }} as api_keys
    inner join users on api_keys.user_id = users.user_id
    group by api_keys.api_key_name_hash
    having count(distinct users.engineer_id) = 1

),

parts as (

    select
        coalesce(code_days.engineer_id, key_makers.engineer_id) as engineer_id,
        code_days.usage_date as date_day,
        code_days.accepted_action_count as accepted_suggestion_count,
        code_days.added_line_count as accepted_line_count,
        cast(null as bigint) as reported_tokens,
        cast(null as decimal(18, 8)) as cost_usd,
        code_days.loaded_at
    from code_days
    left join key_makers on code_days.api_key_name_hash = key_makers.api_key_name_hash

    union all

    select
        coalesce(usages.engineer_id, key_makers.engineer_id) as engineer_id,
        usages.usage_date as date_day,
        cast(null as bigint) as accepted_suggestion_count,
        cast(null as bigint) as accepted_line_count,
        coalesce(usages.input_tokens, 0) + coalesce(usages.output_tokens, 0) as reported_tokens,
        -- With a subscription nobody is billed by token: the estimate is what it would have cost.
        case when usages.customer_type = 'api' then {{ usd_of('usages.estimated_cost_cents', 'cents') }} end as cost_usd,
        usages.loaded_at
    from usages
    left join key_makers on usages.api_key_name_hash = key_makers.api_key_name_hash

),

days as (

    {{ ai_tool_days('claude_code', 'parts', ['accepted_suggestion_count', 'accepted_line_count', 'reported_tokens', 'cost_usd']) }}

)

select * from days
