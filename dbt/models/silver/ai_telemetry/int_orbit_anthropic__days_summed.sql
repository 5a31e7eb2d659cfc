with

usages as (

    select * from {{ ref('stg_orbit_anthropic__usages') }}

),

costs as (

    select * from {{ ref('stg_orbit_anthropic__costs') }}

),

api_keys as (

    select * from {{ ref('stg_orbit_anthropic__api_keys') }}

),

users as (

    select * from {{ ref('stg_orbit_anthropic__users') }}

),

-- Claude Code that is billed by token is told by person in a report of its own, and must not count twice.
claude_code_workspaces as (

    select workspace_id
    from {{ ref('stg_orbit_anthropic__workspaces') }}
    where workspace_name = '{{ var("claude_code_workspace_name") }}'

),

api_usages as (

    select
        users.engineer_id,
        usages.usage_date as date_day,
        usages.workspace_id,
        usages.model,
        coalesce(usages.input_tokens, 0) + coalesce(usages.output_tokens, 0) as tokens,
        usages.loaded_at
    from usages
    left join api_keys on usages.api_key_id = api_keys.api_key_id
    left join users on api_keys.user_id = users.user_id
    where not exists (
        select 1
        from claude_code_workspaces
        where claude_code_workspaces.workspace_id = usages.workspace_id
    )

),

api_costs as (

    select
        cost_date as date_day,
        workspace_id,
        model,
        amount_cents as amount,
        loaded_at
    from costs
    where not exists (
        select 1
        from claude_code_workspaces
        where claude_code_workspaces.workspace_id = costs.workspace_id
    )

),

-- The bill knows workspaces and models, usage knows whose key it was.
cost_shares as (

    {{ shared_costs('api_costs', 'api_usages', ['date_day', 'workspace_id', 'model']) }}

),

parts as (

    select
        engineer_id,
        date_day,
        tokens as reported_tokens,
        cast(null as decimal(18, 8)) as cost_usd,
        loaded_at
    from api_usages

    union all

    select
        engineer_id,
        date_day,
        cast(null as bigint) as reported_tokens,
        {{ usd_of('amount', 'cents') }} as cost_usd,
        loaded_at
    from cost_shares

),

days as (

    {{ ai_tool_days('anthropic', 'parts', ['reported_tokens', 'cost_usd']) }}

)

select * from days
