with

stints as (

    select * from {{ ref('fct_agent_stints') }}

),

agents_daily as (

    select
        {{ surrogate_key(['began_date', 'agent_id']) }} as agent_day_id,
        began_date as date_day,
        agent_id,
        count(*) as stint_count,
        count(distinct contact_id) as contact_count,
        count(distinct case when direction = 'INBOUND' then contact_id end) as inbound_contact_count,
        cast(coalesce(sum(stints.handle_seconds), 0) as bigint) as handle_seconds,
        cast(coalesce(sum(stints.hold_seconds), 0) as bigint) as hold_seconds,
        cast(avg(stints.handle_seconds) as double precision) as average_handle_seconds
    from stints
    where agent_id is not null
    group by
        began_date,
        agent_id

)

select * from agents_daily
