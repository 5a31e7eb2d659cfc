with

gladly_agents as (

    select * from {{ ref_or_empty('stg_warbyparker_gladly__agents', {
        'agent_id': dbt.type_string(),
        'agent_name_hash': dbt.type_string(),
        'agent_email_hash': dbt.type_string(),
    }) }} as gladly_agents

),

roster as (

    select * from {{ ref_or_empty('stg_warbyparker_google_sheets__agent_roster', {
        'agent_email_hash': dbt.type_string(),
        'agent_name_hash': dbt.type_string(),
        'team_name': dbt.type_string(),
        'agent_role': dbt.type_string(),
        'hired_date': 'date',
        'fte': 'double precision',
        'is_active': 'boolean',
        'is_current': 'boolean',
    }) }} as roster

),

teams as (

    select * from {{ ref_or_empty('dim_teams', {
        'team_name': dbt.type_string(),
        'handle_time_target_seconds': 'bigint',
        'handle_time_ceiling_seconds': 'bigint',
    }) }} as teams

),

current_roster as (

    select *
    from roster
    where is_current

),

-- The two know each other by the e-mail address alone.
joined as (

    select
        coalesce(gladly_agents.agent_id, 'roster:' || current_roster.agent_email_hash) as agent_key,
        gladly_agents.agent_id,
        coalesce(gladly_agents.agent_name_hash, current_roster.agent_name_hash) as agent_name_hash,
        coalesce(gladly_agents.agent_email_hash, current_roster.agent_email_hash) as agent_email_hash,
        current_roster.team_name,
        current_roster.agent_role,
        current_roster.hired_date,
        current_roster.fte,
        current_roster.is_active,
        gladly_agents.agent_id is not null as is_in_gladly,
        current_roster.agent_email_hash is not null as is_on_roster
    from gladly_agents
    full outer join current_roster on gladly_agents.agent_email_hash = current_roster.agent_email_hash

),

agents as (

    select
        joined.agent_key,
        joined.agent_id,
        joined.agent_name_hash,
        joined.agent_email_hash,
        joined.team_name,
        joined.agent_role,
        joined.hired_date,
        joined.fte,
        joined.is_active,
        teams.handle_time_target_seconds,
        teams.handle_time_ceiling_seconds,
        joined.is_in_gladly,
        joined.is_on_roster
    from joined
    left join teams on lower(joined.team_name) = lower(teams.team_name)

)

select * from agents
