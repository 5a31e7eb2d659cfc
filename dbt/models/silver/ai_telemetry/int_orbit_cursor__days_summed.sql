with

usage_days as (

    select * from {{ ref('stg_orbit_cursor__usage_days') }}

),

usage_events as (

    select * from {{ ref('stg_orbit_cursor__usage_events') }}

),

parts as (

    select
        engineer_id,
        usage_date as date_day,
        request_count,
        accepted_tab_count as accepted_suggestion_count,
        accepted_line_count,
        cast(null as bigint) as reported_tokens,
        cast(null as bigint) as unmeasured_request_count,
        -- Tab completions are in no event.
        shown_tab_count as unmeasured_suggestion_count,
        cast(null as decimal(18, 8)) as cost_usd,
        loaded_at
    from usage_days
    where is_active

    union all

    select
        engineer_id,
        usage_date as date_day,
        cast(null as bigint) as request_count,
        cast(null as bigint) as accepted_suggestion_count,
        cast(null as bigint) as accepted_line_count,
        case when is_token_based then coalesce(input_tokens, 0) + coalesce(output_tokens, 0) end as reported_tokens,
        case when is_token_based then 0 else 1 end as unmeasured_request_count,
        cast(null as bigint) as unmeasured_suggestion_count,
        {{ usd_of('charged_cents', 'cents') }} as cost_usd,
        loaded_at
    from usage_events

),

days as (

    {{ ai_tool_days('cursor', 'parts', [
        'request_count',
        'accepted_suggestion_count',
        'accepted_line_count',
        'reported_tokens',
        'unmeasured_request_count',
        'unmeasured_suggestion_count',
        'cost_usd',
    ]) }}

)

select * from days
