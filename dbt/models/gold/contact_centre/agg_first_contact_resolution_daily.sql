with

resolutions as (

    select * from {{ ref('fct_conversation_resolutions') }}

),

counted as (

    select
        first_contact_date,
        first_channel,
        count(*) as conversation_count,
        sum(case when is_first_contact_resolved is not null then 1 else 0 end) as judged_count,
        sum(case when outcome = 'resolved' then 1 else 0 end) as resolved_count,
        sum(case when outcome = 'repeated' then 1 else 0 end) as repeated_count,
        sum(case when outcome = 'reopened' then 1 else 0 end) as reopened_count,
        sum(case when outcome = 'abandoned' then 1 else 0 end) as abandoned_count,
        sum(case when outcome = 'pending' then 1 else 0 end) as pending_count
    from resolutions
    where
        outcome <> 'not_inbound'
        and first_channel is not null
    group by
        first_contact_date,
        first_channel

),

resolution_daily as (

    select
        {{ surrogate_key(['first_contact_date', 'first_channel']) }} as channel_day_id,
        first_contact_date as date_day,
        first_channel as channel,
        cast(conversation_count as bigint) as conversation_count,
        cast(judged_count as bigint) as judged_count,
        cast(resolved_count as bigint) as resolved_count,
        cast(repeated_count as bigint) as repeated_count,
        cast(reopened_count as bigint) as reopened_count,
        cast(abandoned_count as bigint) as abandoned_count,
        cast(pending_count as bigint) as pending_count,
        {{ safe_divide('resolved_count', 'judged_count') }} as first_contact_resolution_share
    from counted

)

select * from resolution_daily
