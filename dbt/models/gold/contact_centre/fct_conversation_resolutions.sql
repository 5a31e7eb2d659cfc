{#
    A conversation is resolved at first contact when nothing of the same comes after it within some days of its end (the
    variable `first_contact_resolution_days`): no other contact in the conversation, none of the same customer in a
    conversation with a topic of this one, whatever the channel and whoever begins it, and the conversation is not reopened. A
    transfer is within a contact. Until the days have passed, nothing is said.
#}
with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

conversation_topics as (

    select * from {{ ref('int_conversation_topics') }}

),

conversation_events as (

    select * from {{ ref('stg_warbyparker_gladly__conversation_events') }}

),

placed as (

    select
        contacts.*,
        row_number() over (
            partition by conversation_id
            order by queued_at, contact_id
        ) as place
    from contacts
    where
        conversation_id is not null
        and queued_at is not null

),

-- A contact that only its end is known of may be the first one.
begun_earlier as (

    select distinct conversation_id
    from contacts
    where
        conversation_id is not null
        and queued_at is null

),

first_contacts as (

    select
        placed.*,
        {{ dbt.dateadd('day', var('first_contact_resolution_days'), 'coalesce(placed.ended_at, placed.queued_at)') }} as watched_until
    from placed
    left join begun_earlier on placed.conversation_id = begun_earlier.conversation_id
    where
        placed.place = 1
        and begun_earlier.conversation_id is null

),

same_topic as (

    select distinct
        conversation_topics.conversation_id,
        others.conversation_id as other_conversation_id
    from conversation_topics
    inner join conversation_topics as others
        on
            conversation_topics.topic_id = others.topic_id
            and conversation_topics.conversation_id <> others.conversation_id

),

later_contacts as (

    select
        first_contacts.conversation_id,
        placed.contact_id,
        placed.channel,
        placed.queued_at
    from first_contacts
    inner join placed on first_contacts.conversation_id = placed.conversation_id
    where placed.place > 1

    union all

    select
        first_contacts.conversation_id,
        placed.contact_id,
        placed.channel,
        placed.queued_at
    from first_contacts
    inner join placed on first_contacts.customer_id = placed.customer_id
    inner join same_topic
        on
            first_contacts.conversation_id = same_topic.conversation_id
            and placed.conversation_id = same_topic.other_conversation_id
    where placed.queued_at > first_contacts.queued_at

),

repeats as (

    select
        first_contacts.conversation_id,
        count(*) as repeat_count,
        count(distinct case when later_contacts.channel <> first_contacts.channel then later_contacts.channel end)
            as other_channel_count,
        min(later_contacts.queued_at) as first_repeat_at
    from first_contacts
    inner join later_contacts on first_contacts.conversation_id = later_contacts.conversation_id
    where later_contacts.queued_at < first_contacts.watched_until
    group by first_contacts.conversation_id

),

reopenings as (

    select
        first_contacts.conversation_id,
        count(*) as reopen_count
    from first_contacts
    inner join conversation_events on first_contacts.conversation_id = conversation_events.conversation_id
    where
        conversation_events.event_type = 'CONVERSATION/REOPENED'
        and conversation_events.occurred_at > first_contacts.queued_at
        and conversation_events.occurred_at < first_contacts.watched_until
    group by first_contacts.conversation_id

),

-- How far the loaded data reaches.
horizon as (

    select max(coalesce(ended_at, queued_at)) as known_until
    from contacts

),

judged as (

    select
        first_contacts.conversation_id,
        first_contacts.customer_id,
        first_contacts.contact_id as first_contact_id,
        first_contacts.channel as first_channel,
        first_contacts.queued_at as first_contact_at,
        first_contacts.queued_date as first_contact_date,
        first_contacts.watched_until,
        first_contacts.transfer_count > 0 as is_transferred,
        cast(coalesce(repeats.repeat_count, 0) as bigint) as repeat_count,
        cast(coalesce(repeats.other_channel_count, 0) as bigint) as other_channel_count,
        repeats.first_repeat_at,
        cast(coalesce(reopenings.reopen_count, 0) as bigint) as reopen_count,
        case
            when first_contacts.direction is null or first_contacts.direction <> 'INBOUND' then 'not_inbound'
            when first_contacts.is_abandoned then 'abandoned'
            when repeats.repeat_count > 0 then 'repeated'
            when reopenings.reopen_count > 0 then 'reopened'
            when first_contacts.ended_at is null or horizon.known_until < first_contacts.watched_until then 'pending'
            else 'resolved'
        end as outcome
    from first_contacts
    cross join horizon
    left join repeats on first_contacts.conversation_id = repeats.conversation_id
    left join reopenings on first_contacts.conversation_id = reopenings.conversation_id

),

resolutions as (

    select
        judged.*,
        case
            when outcome = 'resolved' then true
            when outcome in ('abandoned', 'repeated', 'reopened') then false
        end as is_first_contact_resolved
    from judged

)

select * from resolutions
