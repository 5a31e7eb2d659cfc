{# Read by two models, so built once. #}
{{ config(materialized='table') }}

with

contact_events as (

    select * from {{ ref('stg_warbyparker_gladly__contact_events') }}

),

-- What a contact is in from an event on. A contact that an agent starts is in that agent's hands at once; one that was
-- answered in another contact is not handled for that.
state_events as (

    select
        event_id,
        contact_id,
        occurred_at,
        event_type,
        coalesce(initiator_id, assigned_agent_id) as acting_agent_id,
        case
            when event_type = 'CONTACT/ENDED' then 'ended'
            when event_type = 'CONTACT/HOLD_STARTED' then 'holding'
            when event_type = 'CONTACT/TRANSFERRED' then 'waiting'
            when event_type = 'CONTACT/STARTED' and coalesce(initiator_type, '') <> 'AGENT' then 'waiting'
            else 'handling'
        end as state,
        event_type in ('CONTACT/STARTED', 'CONTACT/OFFER_ACCEPTED', 'CONTACT/FULFILLED') as may_begin_stint,
        -- Events of one millisecond, in the order in which they can happen.
        case event_type
            when 'CONTACT/STARTED' then 1
            when 'CONTACT/OFFER_ACCEPTED' then 2
            when 'CONTACT/FULFILLED' then 3
            when 'CONTACT/HOLD_STARTED' then 4
            when 'CONTACT/HOLD_ENDED' then 5
            when 'CONTACT/TRANSFERRED' then 6
            else 7
        end as tie_order
    from contact_events
    where
        contact_id is not null
        and occurred_at is not null
        and event_type in (
            'CONTACT/STARTED',
            'CONTACT/OFFER_ACCEPTED',
            'CONTACT/FULFILLED',
            'CONTACT/HOLD_STARTED',
            'CONTACT/HOLD_ENDED',
            'CONTACT/TRANSFERRED',
            'CONTACT/ENDED'
        )
        and (event_type <> 'CONTACT/FULFILLED' or coalesce(fulfilled_by_contact_id, contact_id) = contact_id)

),

preceded_events as (

    select
        state_events.*,
        lag(state) over (
            partition by contact_id
            order by occurred_at, tie_order, event_id
        ) as previous_state,
        coalesce(
            max(case when state = 'ended' then 1 else 0 end) over (
                partition by contact_id
                order by occurred_at, tie_order, event_id
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as ends_before
    from state_events

),

-- An answer begins the handling only where nobody had accepted the contact, as with mail that is taken from a list.
-- Nothing counts after the end.
effective_events as (

    select *
    from preceded_events
    where
        ends_before = 0
        and (event_type <> 'CONTACT/FULFILLED' or previous_state = 'waiting')

),

numbered_spans as (

    select
        contact_id,
        state,
        occurred_at as began_at,
        lead(occurred_at) over (
            partition by contact_id
            order by occurred_at, tie_order, event_id
        ) as finished_at,
        row_number() over (
            partition by contact_id
            order by occurred_at, tie_order, event_id
        ) as span_number,
        sum(case when may_begin_stint and state = 'handling' then 1 else 0 end) over (
            partition by contact_id
            order by occurred_at, tie_order, event_id
            rows between unbounded preceding and current row
        ) as stint_number,
        case when may_begin_stint and state = 'handling' then acting_agent_id end as beginning_agent_id
    from effective_events

),

spans as (

    select
        {{ surrogate_key(['contact_id', 'span_number']) }} as span_id,
        contact_id,
        cast(span_number as bigint) as span_number,
        cast(stint_number as bigint) as stint_number,
        state,
        case
            when state <> 'waiting'
                then max(beginning_agent_id) over (partition by contact_id, stint_number)
        end as agent_id,
        began_at,
        finished_at,
        {{ seconds_between('began_at', 'finished_at') }} as span_seconds
    from numbered_spans
    where state <> 'ended'

)

select * from spans
