with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

offered as (

    select
        contacts.*,
        {{ half_hour_of('queued_at') }} as interval_start_at
    from contacts
    where
        direction = 'INBOUND'
        and queued_at is not null
        and channel is not null

),

counted as (

    select
        interval_start_at,
        channel,
        count(*) as offered_count,
        sum(case when is_answered then 1 else 0 end) as answered_count,
        sum(case when is_within_service_level then 1 else 0 end) as within_service_level_count,
        sum(case when is_abandoned then 1 else 0 end) as abandoned_count,
        sum(case when is_answered then wait_seconds end) as answered_wait_seconds,
        sum(case when is_answered and wait_seconds is not null then 1 else 0 end) as timed_answer_count,
        sum(handle_seconds) as handle_seconds,
        count(handle_seconds) as handled_count
    from offered
    group by
        interval_start_at,
        channel

),

intervals as (

    select
        {{ surrogate_key([seconds_between("cast('2000-01-01' as timestamp)", 'interval_start_at'), 'channel']) }} as channel_interval_id,
        interval_start_at,
        {{ local_date('interval_start_at') }} as date_day,
        channel,
        cast({{ service_level_seconds('channel') }} as bigint) as target_seconds,
        cast(offered_count as bigint) as offered_count,
        cast(answered_count as bigint) as answered_count,
        cast(within_service_level_count as bigint) as within_service_level_count,
        cast(abandoned_count as bigint) as abandoned_count,
        cast(offered_count - answered_count - abandoned_count as bigint) as undecided_count,
        cast(coalesce(answered_wait_seconds, 0) as bigint) as answered_wait_seconds,
        {{ safe_divide('answered_wait_seconds', 'timed_answer_count') }} as average_speed_of_answer_seconds,
        cast(coalesce(handle_seconds, 0) as bigint) as handle_seconds,
        {{ safe_divide('handle_seconds', 'handled_count') }} as average_handle_seconds,
        case
            when {{ service_level_seconds('channel') }} is not null
                then {{ safe_divide('within_service_level_count', 'answered_count + abandoned_count') }}
        end as service_level_share,
        {{ safe_divide('abandoned_count', 'answered_count + abandoned_count') }} as abandoned_share
    from counted

)

select * from intervals
