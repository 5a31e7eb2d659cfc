with

profile_days as (

    select * from {{ ref('stg_warbyparker_sprout_social__profile_days') }}

),

profiles as (

    select * from {{ ref('stg_warbyparker_sprout_social__profiles') }}

),

messages as (

    select * from {{ ref('fct_social_messages') }}

),

messages_daily as (

    select
        created_date,
        profile_id,
        sum(case when direction = 'RECEIVED' then 1 else 0 end) as received_count,
        sum(case when direction = 'SENT' then 1 else 0 end) as sent_count,
        sum(case when is_answered is not null then 1 else 0 end) as case_message_count,
        sum(case when is_answered then 1 else 0 end) as answered_count,
        avg(response_seconds) as average_response_seconds
    from messages
    where created_date is not null
    group by
        created_date,
        profile_id

),

joined as (

    select
        coalesce(profile_days.reporting_date, messages_daily.created_date) as date_day,
        coalesce(profile_days.profile_id, messages_daily.profile_id) as profile_id,
        profile_days.follower_count,
        profile_days.net_follower_growth,
        profile_days.post_count,
        profile_days.impression_count,
        profile_days.reaction_count,
        profile_days.comment_count,
        profile_days.share_count,
        profile_days.click_count,
        profile_days.video_view_count,
        case
            when profile_days.profile_id is not null
                then
                    coalesce(profile_days.reaction_count, 0)
                    + coalesce(profile_days.comment_count, 0)
                    + coalesce(profile_days.share_count, 0)
                    + coalesce(profile_days.click_count, 0)
        end as engagement_count,
        coalesce(messages_daily.received_count, 0) as received_count,
        coalesce(messages_daily.sent_count, 0) as sent_count,
        coalesce(messages_daily.case_message_count, 0) as case_message_count,
        coalesce(messages_daily.answered_count, 0) as answered_count,
        messages_daily.average_response_seconds
    from profile_days
    full outer join messages_daily
        on
            profile_days.profile_id = messages_daily.profile_id
            and profile_days.reporting_date = messages_daily.created_date

),

profiles_daily as (

    select
        {{ surrogate_key(['joined.date_day', 'joined.profile_id']) }} as profile_day_id,
        joined.date_day,
        joined.profile_id,
        profiles.network_type,
        profiles.profile_name,
        joined.follower_count,
        joined.net_follower_growth,
        joined.post_count,
        joined.impression_count,
        joined.reaction_count,
        joined.comment_count,
        joined.share_count,
        joined.click_count,
        joined.video_view_count,
        cast(joined.engagement_count as bigint) as engagement_count,
        {{ safe_divide('joined.engagement_count', 'joined.impression_count') }} as engagement_share,
        cast(joined.received_count as bigint) as received_message_count,
        cast(joined.sent_count as bigint) as sent_message_count,
        cast(joined.case_message_count as bigint) as case_message_count,
        cast(joined.answered_count as bigint) as answered_message_count,
        cast(joined.average_response_seconds as double precision) as average_response_seconds
    from joined
    left join profiles on joined.profile_id = profiles.profile_id
    where joined.date_day is not null

)

select * from profiles_daily
