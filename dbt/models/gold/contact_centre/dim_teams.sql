with

gladly_teams as (

    select * from {{ ref_or_empty('stg_warbyparker_gladly__teams', {
        'team_id': dbt.type_string(),
        'team_name': dbt.type_string(),
    }) }} as gladly_teams

),

team_targets as (

    select * from {{ ref_or_empty('stg_warbyparker_google_sheets__team_targets', {
        'team_name': dbt.type_string(),
        'service_level_target_share': 'double precision',
        'service_level_target_seconds': 'bigint',
        'handle_time_target_seconds': 'bigint',
        'handle_time_ceiling_seconds': 'bigint',
    }) }} as team_targets

),

-- Planners type names by hand.
teams as (

    select
        coalesce(gladly_teams.team_name, team_targets.team_name) as team_name,
        gladly_teams.team_id,
        team_targets.service_level_target_share,
        team_targets.service_level_target_seconds,
        team_targets.handle_time_target_seconds,
        team_targets.handle_time_ceiling_seconds,
        gladly_teams.team_name is not null as is_in_gladly,
        team_targets.team_name is not null as has_targets
    from gladly_teams
    full outer join team_targets on lower(gladly_teams.team_name) = lower(team_targets.team_name)

)

select * from teams
