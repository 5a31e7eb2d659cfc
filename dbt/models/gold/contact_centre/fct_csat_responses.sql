with

csat_responses as (

    select * from {{ ref_or_empty('stg_warbyparker_gmail__csat_responses', {
        'response_id': dbt.type_string(),
        'conversation_id': dbt.type_string(),
        'agent_email_hash': dbt.type_string(),
        'channel': dbt.type_string(),
        'score': 'bigint',
        'answered_at': 'timestamp',
        'is_corrected': 'boolean',
    }) }} as csat_responses

),

agents as (

    select * from {{ ref_or_empty('dim_agents', {
        'agent_id': dbt.type_string(),
        'agent_email_hash': dbt.type_string(),
    }) }} as agents

),

-- Of two agents with one address nobody knows which it was: the smaller id, so that an answer stays one row.
addressed as (

    select
        agent_email_hash,
        min(agent_id) as agent_id
    from agents
    where agent_email_hash is not null
    group by agent_email_hash

),

responses as (

    select
        csat_responses.response_id,
        csat_responses.conversation_id,
        addressed.agent_id,
        csat_responses.channel,
        csat_responses.score,
        csat_responses.score >= {{ var('satisfied_from_score') }} as is_satisfied,
        csat_responses.is_corrected,
        csat_responses.answered_at,
        {{ local_date('csat_responses.answered_at') }} as answered_date
    from csat_responses
    left join addressed on csat_responses.agent_email_hash = addressed.agent_email_hash

)

select * from responses
