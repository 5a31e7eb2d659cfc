with

counted as (

    {{ count_unreadable(source('warbyparker_google_sheets', 'agent_roster'), 'agent_roster', {
        'hired_on': date_or_null,
        'fte': number_or_null,
        'active': boolean_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_google_sheets', 'team_targets'), 'team_targets', {
        'service_level_target': number_or_null,
        'service_level_within_seconds': integer_or_null,
        'handle_time_target_seconds': integer_or_null,
        'handle_time_ceiling_seconds': integer_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_google_sheets', 'fte_plan'), 'fte_plan', {
        'week_starting': date_or_null,
        'planned_fte': number_or_null,
        'actual_fte': number_or_null,
    }, condition="team is not null") }}

),

unreadable_values as (

    select
        {{ surrogate_key(["'warbyparker_google_sheets'", 'table_name', 'column_name']) }} as typed_column_id,
        'warbyparker_google_sheets' as source_name,
        table_name,
        column_name,
        value_count,
        unreadable_count
    from counted

)

select * from unreadable_values
