with

source as (

    select * from {{ source('warbyparker_gladly', 'conversation_timestamps') }}

),

-- As with the events of contacts: no id in the report, so its ids and its time make one.
identified as (

    select
        {{ surrogate_key([
            'timestamp',
            'event_type',
            'conversation_id',
            'customer_id',
            'initiator_type',
            'initiator_id',
            'assigned_inbox_id',
            'assigned_agent_id',
            'topic_id',
            'newly_assigned_inbox_id',
            'newly_assigned_agent_id',
            'merged_conversation_id',
        ]) }} as event_id,
        source.*
    from source

),

ranked as (

    select
        identified.*,
        row_number() over (
            partition by event_id
            order by _loaded_at, _batch_id, _source_file
        ) as occurrence
    from identified

),

conversation_events as (

    select
        event_id,
        {{ text_or_null('conversation_id') }} as conversation_id,
        {{ text_or_null('customer_id') }} as customer_id,
        {{ text_or_null('event_type') }} as event_type,
        {{ utc_or_null('timestamp') }} as occurred_at,
        {{ text_or_null('initiator_type') }} as initiator_type,
        {{ text_or_null('initiator_id') }} as initiator_id,
        {{ text_or_null('assigned_inbox_id') }} as assigned_inbox_id,
        {{ text_or_null('assigned_agent_id') }} as assigned_agent_id,
        {{ text_or_null('topic_id') }} as topic_id,
        {{ text_or_null('newly_assigned_inbox_id') }} as newly_assigned_inbox_id,
        {{ text_or_null('newly_assigned_agent_id') }} as newly_assigned_agent_id,
        {{ text_or_null('assignment_update_reason') }} as assignment_update_reason,
        {{ text_or_null('merged_customer_id') }} as merged_customer_id,
        {{ text_or_null('merged_conversation_id') }} as merged_conversation_id
    from ranked
    where occurrence = 1

)

select * from conversation_events
