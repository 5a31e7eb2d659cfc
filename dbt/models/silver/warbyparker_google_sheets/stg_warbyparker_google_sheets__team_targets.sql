with

source as (

    select * from {{ source('warbyparker_google_sheets', 'team_targets') }}

),

team_targets as (

    select
        {{ text_or_null('team') }} as team_name,
        {{ number_or_null('service_level_target') }} as service_level_target_share,
        {{ integer_or_null('service_level_within_seconds') }} as service_level_target_seconds,
        {{ integer_or_null('handle_time_target_seconds') }} as handle_time_target_seconds,
        {{ integer_or_null('handle_time_ceiling_seconds') }} as handle_time_ceiling_seconds
    from source

)

select * from team_targets
