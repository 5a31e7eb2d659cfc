with

source as (

    select * from {{ source('warbyparker_sprout_social', 'profile_days') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('metrics') }} as metrics_json
    from source

),

profile_days as (

    select
        {{ surrogate_key(['customer_profile_id', 'reporting_period']) }} as profile_day_id,
        {{ text_or_null('customer_profile_id') }} as profile_id,
        {{ date_or_null('reporting_period') }} as reporting_date,
        {{ social_metric('metrics_json', ['lifetime_snapshot.followers_count']) }} as follower_count,
        {{ social_metric('metrics_json', ['net_follower_growth']) }} as net_follower_growth,
        {{ social_metric('metrics_json', ['impressions', 'views']) }} as impression_count,
        {{ social_metric('metrics_json', ['reactions', 'likes', 'likes_total']) }} as reaction_count,
        {{ social_metric('metrics_json', ['comments_count', 'comments_count_total']) }} as comment_count,
        {{ social_metric('metrics_json', ['shares_count', 'shares_count_total']) }} as share_count,
        {{ social_metric('metrics_json', ['post_link_clicks', 'post_content_clicks']) }} as click_count,
        {{ social_metric('metrics_json', ['video_views', 'video_views_total']) }} as video_view_count,
        {{ social_metric('metrics_json', ['posts_sent_count']) }} as post_count
    from parsed

)

select * from profile_days
