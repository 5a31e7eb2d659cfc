{# Read by two models and their tests, so built once. #}
{{ config(materialized='table') }}

with

contact_events as (

    select * from {{ ref('stg_warbyparker_gladly__contact_events') }}

),

spans as (

    select * from {{ ref('int_contact_spans') }}

),

milestones as (

    select
        contact_id,
        max(conversation_id) as conversation_id,
        max(customer_id) as customer_id,
        max(channel) as channel,
        max(case when event_type = 'CONTACT/STARTED' then initiator_type end) as started_by,
        min(case when event_type = 'CONTACT/STARTED' then occurred_at end) as started_at,
        min(case when event_type = 'CONTACT/FULFILLED' then occurred_at end) as fulfilled_at,
        min(case when event_type = 'CONTACT/ENDED' then occurred_at end) as ended_at,
        sum(case when event_type = 'CONTACT/TRANSFERRED' then 1 else 0 end) as transfer_count
    from contact_events
    where
        contact_id is not null
        and occurred_at is not null
    group by contact_id

),

-- Reports name the inbox before an event, so the first one stands in the first event after the start.
inboxes_in_order as (

    select
        contact_id,
        assigned_inbox_id,
        row_number() over (partition by contact_id order by occurred_at, event_id) as nth,
        row_number() over (partition by contact_id order by occurred_at desc, event_id desc) as nth_from_last
    from contact_events
    where
        assigned_inbox_id is not null
        and occurred_at is not null

),

inboxes as (

    select
        contact_id,
        max(case when nth = 1 then assigned_inbox_id end) as first_inbox_id,
        max(case when nth_from_last = 1 then assigned_inbox_id end) as last_inbox_id
    from inboxes_in_order
    group by contact_id

),

last_stints as (

    select
        contact_id,
        max(stint_number) as stint_count
    from spans
    group by contact_id

),

times as (

    select
        spans.contact_id,
        max(last_stints.stint_count) as stint_count,
        min(case when spans.state <> 'waiting' then spans.began_at end) as accepted_at,
        max(case when spans.stint_number = 1 then spans.agent_id end) as first_agent_id,
        max(case when spans.stint_number = last_stints.stint_count then spans.agent_id end) as last_agent_id,
        sum(case when spans.state = 'waiting' and spans.stint_number = 0 then spans.span_seconds end) as wait_seconds,
        sum(case when spans.state = 'waiting' and spans.stint_number > 0 then spans.span_seconds else 0 end)
            as transfer_wait_seconds,
        sum(case when spans.state <> 'waiting' then spans.span_seconds end) as handle_seconds,
        sum(case when spans.state = 'holding' then spans.span_seconds else 0 end) as hold_seconds
    from spans
    inner join last_stints on spans.contact_id = last_stints.contact_id
    group by spans.contact_id

),

-- A contact that began before the first loaded window has no start: its times are unknown, not short.
timed as (

    select
        milestones.contact_id,
        milestones.conversation_id,
        milestones.customer_id,
        milestones.channel,
        case
            when milestones.started_by in ('CUSTOMER', 'INTERNAL', 'EXTERNAL') then 'INBOUND'
            when milestones.started_by is not null then 'OUTBOUND'
        end as direction,
        milestones.started_at,
        times.accepted_at,
        milestones.fulfilled_at,
        milestones.ended_at,
        inboxes.first_inbox_id,
        inboxes.last_inbox_id,
        times.first_agent_id,
        times.last_agent_id,
        cast(milestones.transfer_count as bigint) as transfer_count,
        cast(coalesce(times.stint_count, 0) as bigint) as stint_count,
        case
            when milestones.started_at is not null and (milestones.ended_at is not null or times.stint_count > 0)
                then cast(times.wait_seconds as bigint)
        end as wait_seconds,
        case
            when milestones.started_at is not null and milestones.ended_at is not null and times.stint_count > 0
                then cast(times.transfer_wait_seconds as bigint)
        end as transfer_wait_seconds,
        case
            when milestones.started_at is not null and milestones.ended_at is not null
                then cast(times.handle_seconds as bigint)
        end as handle_seconds,
        case
            when milestones.started_at is not null and milestones.ended_at is not null and times.stint_count > 0
                then cast(times.hold_seconds as bigint)
        end as hold_seconds
    from milestones
    left join times on milestones.contact_id = times.contact_id
    left join inboxes on milestones.contact_id = inboxes.contact_id

)

select * from timed
