with

conversations as (

    select * from {{ ref('stg_warbyparker_gladly__conversations') }}

),

conversation_events as (

    select * from {{ ref('stg_warbyparker_gladly__conversation_events') }}

),

resolutions as (

    select * from {{ ref('fct_conversation_resolutions') }}

),

event_counts as (

    select
        conversation_id,
        sum(case when event_type = 'CONVERSATION_ASSIGNEE/UPDATED' then 1 else 0 end) as assignment_count,
        sum(case when event_type = 'NOTE/CREATED' then 1 else 0 end) as note_count
    from conversation_events
    where conversation_id is not null
    group by conversation_id

),

counted as (

    select
        conversations.conversation_id,
        conversations.customer_id,
        conversations.status,
        conversations.created_at,
        {{ local_date('conversations.created_at') }} as created_date,
        conversations.first_closed_at,
        conversations.last_closed_at,
        {{ seconds_between('conversations.created_at', 'conversations.first_closed_at') }} as first_close_seconds,
        conversations.initiator_type,
        conversations.first_contact_id,
        conversations.first_channel,
        conversations.last_channel,
        conversations.current_inbox_id,
        conversations.current_agent_id,
        conversations.topic_paths,
        conversations.contact_count,
        conversations.close_count,
        conversations.reopen_count,
        cast(coalesce(event_counts.assignment_count, 0) as bigint) as assignment_count,
        cast(coalesce(event_counts.note_count, 0) as bigint) as note_count,
        resolutions.outcome as first_contact_outcome,
        resolutions.is_first_contact_resolved
    from conversations
    left join event_counts on conversations.conversation_id = event_counts.conversation_id
    left join resolutions on conversations.conversation_id = resolutions.conversation_id

)

select * from counted
