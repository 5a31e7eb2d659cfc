with

spans as (

    select * from {{ ref('int_contact_spans') }}

),

contacts as (

    select * from {{ ref('int_contacts_timed') }}

),

summed as (

    select
        contact_id,
        stint_number,
        max(spans.agent_id) as agent_id,
        min(spans.began_at) as began_at,
        case when count(*) = count(spans.finished_at) then max(spans.finished_at) end as finished_at,
        case when count(*) = count(spans.finished_at) then sum(spans.span_seconds) end as handle_seconds,
        case
            when count(*) = count(spans.finished_at)
                then sum(case when spans.state = 'holding' then spans.span_seconds else 0 end)
        end as hold_seconds,
        sum(case when spans.state = 'holding' then 1 else 0 end) as hold_count
    from spans
    where
        state <> 'waiting'
        and stint_number > 0
    group by
        contact_id,
        stint_number

),

stints as (

    select
        {{ surrogate_key(['summed.contact_id', 'summed.stint_number']) }} as stint_id,
        summed.contact_id,
        summed.stint_number,
        summed.agent_id,
        contacts.channel,
        contacts.direction,
        summed.began_at,
        {{ local_date('summed.began_at') }} as began_date,
        summed.finished_at,
        cast(summed.handle_seconds as bigint) as handle_seconds,
        cast(summed.hold_seconds as bigint) as hold_seconds,
        cast(summed.hold_count as bigint) as hold_count
    from summed
    left join contacts on summed.contact_id = contacts.contact_id

)

select * from stints
