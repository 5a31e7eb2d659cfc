with

cascade_days as (

    select * from {{ ref('stg_orbit_windsurf__cascade_days') }}

),

cascade_runs as (

    select * from {{ ref('stg_orbit_windsurf__cascade_runs') }}

),

completions as (

    select * from {{ ref('stg_orbit_windsurf__completions') }}

),

users as (

    select * from {{ ref('stg_orbit_windsurf__users') }}

),

parts as (

    select
        engineer_id,
        usage_date as date_day,
        cast(null as bigint) as request_count,
        cast(null as bigint) as accepted_suggestion_count,
        accepted_line_count,
        cast(null as bigint) as unmeasured_line_count,
        cast(null as decimal(18, 8)) as cost_usd,
        loaded_at
    from cascade_days

    union all

    select
        engineer_id,
        usage_date as date_day,
        message_count as request_count,
        cast(null as bigint) as accepted_suggestion_count,
        cast(null as bigint) as accepted_line_count,
        cast(null as bigint) as unmeasured_line_count,
        {{ usd_of('credit_hundredths', 'credit_hundredths') }} as cost_usd,
        loaded_at
    from cascade_runs

    union all

    select
        users.engineer_id,
        completions.usage_date as date_day,
        cast(null as bigint) as request_count,
        completions.accepted_suggestion_count,
        completions.accepted_line_count,
        -- Cascade's lines came of messages, which are estimated as such.
        completions.accepted_line_count as unmeasured_line_count,
        cast(null as decimal(18, 8)) as cost_usd,
        completions.loaded_at
    from completions
    left join users on completions.api_key_hash = users.api_key_hash

),

measured as (

    select
        parts.*,
        request_count as unmeasured_request_count
    from parts

),

days as (

    {{ ai_tool_days('windsurf', 'measured', [
        'request_count',
        'accepted_suggestion_count',
        'accepted_line_count',
        'unmeasured_request_count',
        'unmeasured_line_count',
        'cost_usd',
    ]) }}

)

select * from days
