with

user_days as (

    select * from {{ ref('stg_orbit_sourcegraph__user_days') }}

),

parts as (

    select
        engineer_id,
        usage_date as date_day,
        chat_count as request_count,
        accepted_suggestion_count,
        chat_count as unmeasured_request_count,
        suggestion_count as unmeasured_suggestion_count,
        loaded_at
    from user_days

),

days as (

    {{ ai_tool_days('sourcegraph', 'parts', [
        'request_count',
        'accepted_suggestion_count',
        'unmeasured_request_count',
        'unmeasured_suggestion_count',
    ]) }}

)

select * from days
