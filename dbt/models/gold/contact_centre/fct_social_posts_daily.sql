with

posts as (

    select * from {{ ref('fct_social_posts') }}

),

summed as (

    select
        published_date,
        profile_id,
        max(network) as network,
        count(*) as post_count,
        sum(impression_count) as impression_count,
        sum(reaction_count) as reaction_count,
        sum(comment_count) as comment_count,
        sum(share_count) as share_count,
        sum(click_count) as click_count,
        sum(video_view_count) as video_view_count,
        sum(engagement_count) as engagement_count,
        sum(case when impression_count is not null then engagement_count end) as shown_engagement_count
    from posts
    where published_date is not null
    group by
        published_date,
        profile_id

),

posts_daily as (

    select
        {{ surrogate_key(['published_date', 'profile_id']) }} as profile_day_id,
        published_date as date_day,
        profile_id,
        network,
        cast(post_count as bigint) as post_count,
        cast(impression_count as bigint) as impression_count,
        cast(reaction_count as bigint) as reaction_count,
        cast(comment_count as bigint) as comment_count,
        cast(share_count as bigint) as share_count,
        cast(click_count as bigint) as click_count,
        cast(video_view_count as bigint) as video_view_count,
        cast(engagement_count as bigint) as engagement_count,
        {{ safe_divide('shown_engagement_count', 'impression_count') }} as engagement_share
    from summed

)

select * from posts_daily
