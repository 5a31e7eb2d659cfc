with

source as (

    select * from {{ source('warbyparker_sprout_social', 'posts') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('metrics') }} as metrics_json
    from source

),

posts as (

    select
        {{ text_or_null('guid') }} as post_id,
        {{ text_or_null('customer_profile_id') }} as profile_id,
        {{ text_or_null('network') }} as network,
        {{ utc_or_null('created_time') }} as published_at,
        {{ text_or_null('post_type') }} as post_type,
        {{ text_or_null('content_category') }} as content_category,
        {{ text_or_null('perma_link') }} as post_link,
        {{ social_metric('metrics_json', ['lifetime.impressions', 'lifetime.views']) }} as impression_count,
        {{ social_metric('metrics_json', ['lifetime.reactions', 'lifetime.likes']) }} as reaction_count,
        {{ social_metric('metrics_json', ['lifetime.comments_count']) }} as comment_count,
        {{ social_metric('metrics_json', ['lifetime.shares_count']) }} as share_count,
        {{ social_metric('metrics_json', ['lifetime.post_link_clicks', 'lifetime.post_content_clicks']) }} as click_count,
        {{ social_metric('metrics_json', ['lifetime.video_views']) }} as video_view_count,
        _batch_id as batch_id
    from parsed

)

select * from posts
