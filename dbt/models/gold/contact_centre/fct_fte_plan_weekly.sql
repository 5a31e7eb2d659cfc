with

fte_plan as (

    select * from {{ ref('stg_warbyparker_google_sheets__fte_plan') }}

),

team_weeks as (

    select
        team_week_id,
        week_start_date,
        team_name,
        planned_fte,
        actual_fte,
        planned_fte - actual_fte as missing_fte,
        {{ safe_divide('actual_fte', 'planned_fte') }} as attained_share
    from fte_plan
    where week_start_date is not null

)

select * from team_weeks
