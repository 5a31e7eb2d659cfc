with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

channels_daily as (

    select
        {{ surrogate_key(['queued_date', 'channel']) }} as channel_day_id,
        queued_date as date_day,
        channel,
        count(*) as contact_count,
        sum(case when direction = 'INBOUND' then 1 else 0 end) as inbound_count,
        sum(case when direction = 'OUTBOUND' then 1 else 0 end) as outbound_count,
        sum(case when is_answered then 1 else 0 end) as answered_count,
        sum(case when is_abandoned then 1 else 0 end) as abandoned_count,
        sum(case when is_within_service_level then 1 else 0 end) as within_service_level_count,
        sum(case when transfer_count > 0 then 1 else 0 end) as transferred_count,
        sum(case when ended_at is null then 1 else 0 end) as open_count,
        sum(case when is_answered then wait_seconds else 0 end) as answered_wait_seconds,
        sum(handle_seconds) as handle_seconds,
        sum(hold_seconds) as hold_seconds,
        percentile_cont(0.9) within group (order by case when is_answered then wait_seconds end) as p90_wait_seconds
    from contacts
    -- Of a contact without a day only the end is known, as of those that were open when loading began.
    where
        queued_date is not null
        and channel is not null
    group by
        queued_date,
        channel

),

typed as (

    select
        channel_day_id,
        date_day,
        channel,
        cast(contact_count as bigint) as contact_count,
        cast(inbound_count as bigint) as inbound_count,
        cast(outbound_count as bigint) as outbound_count,
        cast(answered_count as bigint) as answered_count,
        cast(abandoned_count as bigint) as abandoned_count,
        cast(within_service_level_count as bigint) as within_service_level_count,
        cast(transferred_count as bigint) as transferred_count,
        cast(open_count as bigint) as open_count,
        cast(coalesce(answered_wait_seconds, 0) as bigint) as answered_wait_seconds,
        cast(coalesce(handle_seconds, 0) as bigint) as handle_seconds,
        cast(coalesce(hold_seconds, 0) as bigint) as hold_seconds,
        cast(p90_wait_seconds as double precision) as p90_wait_seconds
    from channels_daily

)

select * from typed
