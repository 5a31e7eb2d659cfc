with

source as (

    select * from {{ source('warbyparker_gladly', 'contact_timestamps') }}

),

-- The report has no id: what an event says is its identity. Names are left out, for people and inboxes are renamed.
identified as (

    select
        {{ surrogate_key([
            'timestamp',
            'event_type',
            'contact_id',
            'conversation_id',
            'initiator_type',
            'initiator_id',
            'assigned_inbox_id',
            'assigned_agent_id',
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

contact_events as (

    select
        event_id,
        {{ text_or_null('contact_id') }} as contact_id,
        {{ text_or_null('conversation_id') }} as conversation_id,
        {{ text_or_null('customer_id') }} as customer_id,
        {{ text_or_null('event_type') }} as event_type,
        {{ utc_or_null('timestamp') }} as occurred_at,
        {{ text_or_null('channel') }} as channel,
        {{ text_or_null('initiator_type') }} as initiator_type,
        {{ text_or_null('initiator_id') }} as initiator_id,
        {{ text_or_null('assigned_inbox_id') }} as assigned_inbox_id,
        {{ text_or_null('assigned_agent_id') }} as assigned_agent_id,
        {{ text_or_null('transferred_to_inbox_name') }} as transferred_to_inbox_name,
        {{ text_or_null('fulfilled_by_contact_id') }} as fulfilled_by_contact_id,
        _batch_id as batch_id
    from ranked
    where occurrence = 1

)

select * from contact_events
