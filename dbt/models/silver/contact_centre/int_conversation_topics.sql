with

conversation_events as (

    select * from {{ ref('stg_warbyparker_gladly__conversation_events') }}

),

-- Names of topics hold commas, so the list in the export cannot be taken apart: events have ids.
topic_events as (

    select
        conversation_id,
        topic_id,
        event_type,
        row_number() over (
            partition by conversation_id, topic_id
            -- Of one moment's events the removal is the later one.
            order by occurred_at desc, case when event_type = 'CONVERSATION/TOPIC_REMOVED' then 0 else 1 end
        ) as newest
    from conversation_events
    where
        conversation_id is not null
        and topic_id is not null
        and occurred_at is not null
        and event_type in ('CONVERSATION/TOPIC_ADDED', 'CONVERSATION/TOPIC_REMOVED')

),

conversation_topics as (

    select
        {{ surrogate_key(['conversation_id', 'topic_id']) }} as conversation_topic_id,
        conversation_id,
        topic_id
    from topic_events
    where
        newest = 1
        and event_type = 'CONVERSATION/TOPIC_ADDED'

)

select * from conversation_topics
