with

fed_days as (

    select * from {{ ref('stg_orbit__fed_ai_tool_days') }}

),

parts as (

    select
        tool,
        engineer_id,
        usage_date as date_day,
        requests as request_count,
        accepted_suggestions as accepted_suggestion_count,
        accepted_lines as accepted_line_count,
        tokens as reported_tokens,
        unmeasured_requests as unmeasured_request_count,
        unmeasured_accepted_lines as unmeasured_line_count,
        cost_usd,
        loaded_at
    from fed_days

),

days as (

    {{ ai_tool_days(none, 'parts', [
        'request_count',
        'accepted_suggestion_count',
        'accepted_line_count',
        'reported_tokens',
        'unmeasured_request_count',
        'unmeasured_line_count',
        'cost_usd',
    ]) }}

)

select * from days
