with

source as (

    select * from {{ source('warbyparker_google_sheets', 'fte_plan') }}

),

-- A week that stands on two sheets counts as on the one whose title is the greatest; of two rows the lower one.
ranked as (

    select
        source.*,
        row_number() over (
            partition by week_starting, team
            order by _source_file desc, {{ integer_or_null('_row') }} desc
        ) as newest
    from source
    where {{ text_or_null('team') }} is not null

),

fte_plan as (

    select
        {{ surrogate_key(['week_starting', 'team']) }} as team_week_id,
        {{ date_or_null('week_starting') }} as week_start_date,
        {{ text_or_null('team') }} as team_name,
        {{ number_or_null('planned_fte') }} as planned_fte,
        {{ number_or_null('actual_fte') }} as actual_fte
    from ranked
    where newest = 1

)

select * from fte_plan
