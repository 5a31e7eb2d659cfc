with

profiles_daily as (

    select * from {{ ref('agg_social_profiles_daily') }}

),

messages as (

    select * from {{ ref('fct_social_messages') }}

),

profiles as (

    select * from {{ ref('stg_warbyparker_sprout_social__profiles') }}

),

weekly_days as (

    select
        profiles_daily.*,
        cast({{ dbt.date_trunc('week', 'date_day') }} as date) as week_start_date,
        row_number() over (
            partition by profile_id, {{ dbt.date_trunc('week', 'date_day') }}
            order by case when follower_count is null then 1 else 0 end, date_day desc
        ) as newest
    from profiles_daily
    where network_type is not null

),

network_bounds as (

    select
        network_type,
        min(week_start_date) as first_week,
        {{ dbt.dateadd('day', 7, 'max(week_start_date)') }} as end_day
    from weekly_days
    group by network_type

),

-- Weeks in which nothing came stand in it, too.
weeks as (

    {{ date_spine('network_bounds', 'first_week', 'end_day', datepart='week', keep=['network_type']) | indent }}

),

summed as (

    select
        week_start_date,
        network_type,
        count(distinct case when follower_count is not null then date_day end) as measured_day_count,
        sum(case when newest = 1 then follower_count end) as follower_count,
        sum(net_follower_growth) as net_follower_growth,
        sum(post_count) as post_count,
        sum(impression_count) as impression_count,
        sum(engagement_count) as engagement_count,
        sum(case when impression_count is not null then engagement_count end) as shown_engagement_count,
        sum(received_message_count) as received_message_count,
        sum(case_message_count) as case_message_count,
        sum(answered_message_count) as answered_message_count
    from weekly_days
    group by
        week_start_date,
        network_type

),

responses as (

    select
        cast({{ dbt.date_trunc('week', 'messages.created_date') }} as date) as week_start_date,
        profiles.network_type,
        percentile_cont(0.5) within group (order by messages.response_seconds) as p50_response_seconds,
        percentile_cont(0.9) within group (order by messages.response_seconds) as p90_response_seconds
    from messages
    inner join profiles on messages.profile_id = profiles.profile_id
    where
        messages.response_seconds is not null
        and messages.created_date is not null
    group by
        cast({{ dbt.date_trunc('week', 'messages.created_date') }} as date),
        profiles.network_type

),

engagement as (

    select
        {{ surrogate_key(['weeks.date_day', 'weeks.network_type']) }} as network_week_id,
        weeks.date_day as week_start_date,
        weeks.network_type,
        cast(coalesce(summed.measured_day_count, 0) as bigint) as measured_day_count,
        cast(summed.follower_count as bigint) as follower_count,
        cast(summed.net_follower_growth as bigint) as net_follower_growth,
        cast(coalesce(summed.post_count, 0) as bigint) as post_count,
        cast(summed.impression_count as bigint) as impression_count,
        cast(coalesce(summed.engagement_count, 0) as bigint) as engagement_count,
        {{ safe_divide('summed.shown_engagement_count', 'summed.impression_count') }} as engagement_share,
        cast(coalesce(summed.received_message_count, 0) as bigint) as received_message_count,
        {{ safe_divide('summed.answered_message_count', 'summed.case_message_count') }} as answered_share,
        cast(responses.p50_response_seconds as double precision) as p50_response_seconds,
        cast(responses.p90_response_seconds as double precision) as p90_response_seconds
    from weeks
    left join summed
        on
            weeks.date_day = summed.week_start_date
            and weeks.network_type = summed.network_type
    left join responses
        on
            weeks.date_day = responses.week_start_date
            and weeks.network_type = responses.network_type

)

select * from engagement
