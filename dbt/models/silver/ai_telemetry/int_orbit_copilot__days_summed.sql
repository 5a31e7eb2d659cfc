with

user_days as (

    select * from {{ ref_or_empty('stg_orbit_copilot__user_days', {
        'engineer_login_id': dbt.type_string(),
        'usage_date': 'date',
        'interaction_count': 'bigint',
        'suggestion_count': 'bigint',
        'accepted_suggestion_count': 'bigint',
        'accepted_line_count': 'bigint',
        'cli_prompt_count': 'bigint',
        'cli_tokens': 'bigint',
        'loaded_at': 'timestamp',
    }) }} as user_days

),

engineers as (

    select * from {{ ref_or_empty('int_ai_engineers_mapped', {
        'engineer_login_id': dbt.type_string(),
        'engineer_id': dbt.type_string(),
    }) }} as engineers

),

parts as (

    select
        -- Who is known by login alone keeps the login's id.
        coalesce(engineers.engineer_id, user_days.engineer_login_id) as engineer_id,
        user_days.usage_date as date_day,
        user_days.interaction_count as request_count,
        user_days.accepted_suggestion_count,
        user_days.accepted_line_count,
        user_days.cli_tokens as reported_tokens,
        -- Only the command line measures tokens.
        user_days.interaction_count - user_days.cli_prompt_count as unmeasured_request_count,
        user_days.suggestion_count as unmeasured_suggestion_count,
        user_days.loaded_at
    from user_days
    left join engineers on user_days.engineer_login_id = engineers.engineer_login_id

),

days as (

    {{ ai_tool_days('copilot', 'parts', [
        'request_count',
        'accepted_suggestion_count',
        'accepted_line_count',
        'reported_tokens',
        'unmeasured_request_count',
        'unmeasured_suggestion_count',
    ]) }}

)

select * from days
