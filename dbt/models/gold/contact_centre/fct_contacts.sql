with

exported_contacts as (

    select * from {{ ref('stg_warbyparker_gladly__contacts') }}

),

timed_contacts as (

    select * from {{ ref('int_contacts_timed') }}

),

-- The export and the events are asked for by different windows, so each can know a contact that the other lacks.
joined as (

    select
        coalesce(timed_contacts.contact_id, exported_contacts.contact_id) as contact_id,
        coalesce(timed_contacts.conversation_id, exported_contacts.conversation_id) as conversation_id,
        coalesce(timed_contacts.customer_id, exported_contacts.customer_id) as customer_id,
        coalesce(timed_contacts.channel, exported_contacts.channel) as channel,
        coalesce(exported_contacts.direction, timed_contacts.direction) as direction,
        coalesce(exported_contacts.queued_at, timed_contacts.started_at) as queued_at,
        timed_contacts.accepted_at,
        timed_contacts.fulfilled_at,
        timed_contacts.ended_at,
        timed_contacts.first_inbox_id,
        timed_contacts.last_inbox_id,
        timed_contacts.first_agent_id,
        timed_contacts.last_agent_id,
        exported_contacts.entry_point,
        exported_contacts.final_ivr_selection,
        timed_contacts.wait_seconds,
        timed_contacts.transfer_wait_seconds,
        timed_contacts.handle_seconds,
        timed_contacts.hold_seconds,
        timed_contacts.stint_count,
        timed_contacts.transfer_count
    from timed_contacts
    full outer join exported_contacts on timed_contacts.contact_id = exported_contacts.contact_id

),

judged as (

    select
        joined.*,
        direction = 'INBOUND' and coalesce(stint_count, 0) > 0 as is_answered,
        direction = 'INBOUND'
        and ended_at is not null
        and fulfilled_at is null
        and coalesce(stint_count, 0) = 0 as is_abandoned,
        {{ service_level_seconds('channel') }} as service_level_seconds
    from joined

),

contacts as (

    select
        contact_id,
        conversation_id,
        customer_id,
        channel,
        direction,
        queued_at,
        {{ local_date('queued_at') }} as queued_date,
        accepted_at,
        fulfilled_at,
        ended_at,
        first_inbox_id,
        last_inbox_id,
        first_agent_id,
        last_agent_id,
        entry_point,
        final_ivr_selection,
        wait_seconds,
        transfer_wait_seconds,
        handle_seconds,
        hold_seconds,
        cast(coalesce(stint_count, 0) as bigint) as stint_count,
        cast(coalesce(transfer_count, 0) as bigint) as transfer_count,
        coalesce(is_answered, false) as is_answered,
        coalesce(is_abandoned, false) as is_abandoned,
        case
            when is_answered then wait_seconds <= service_level_seconds
            when is_abandoned and service_level_seconds is not null then false
        end as is_within_service_level
    from judged

)

select * from contacts
