with

channels_daily as (

    select * from {{ ref('agg_channels_daily') }}

),

-- Shares are of the contacts with a verdict: those still waiting, or of which no event was loaded, have none yet.
service_level as (

    select
        channel_day_id,
        date_day,
        channel,
        cast({{ service_level_seconds('channel') }} as bigint) as target_seconds,
        inbound_count,
        answered_count,
        abandoned_count,
        within_service_level_count,
        case
            when {{ service_level_seconds('channel') }} is not null
                then cast(within_service_level_count as double precision) / (answered_count + abandoned_count)
        end as service_level_share,
        cast(abandoned_count as double precision)
        / (answered_count + abandoned_count) as abandoned_share,
        cast(answered_wait_seconds as double precision) / nullif(answered_count, 0) as average_wait_seconds,
        p90_wait_seconds
    from channels_daily
    where answered_count + abandoned_count > 0

)

select * from service_level
