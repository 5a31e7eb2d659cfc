{#
    A post's numbers grow for weeks, and bronze merges them under the batch that brought them: what stands here under
    another batch is put anew, so that any number of runs gives the table that one full refresh gives.
#}
{{
    config(
        materialized='incremental',
        unique_key='post_id',
        incremental_strategy=replacing_strategy(),
        on_schema_change='fail',
    )
}}

with

posts as (

    select * from {{ ref('stg_warbyparker_sprout_social__posts') }}

),

published as (

    select
        post_id,
        profile_id,
        network,
        published_at,
        {{ local_date('published_at') }} as published_date,
        post_type,
        content_category,
        post_link,
        impression_count,
        reaction_count,
        comment_count,
        share_count,
        click_count,
        video_view_count,
        coalesce(reaction_count, 0) + coalesce(comment_count, 0) + coalesce(share_count, 0) + coalesce(click_count, 0) as engagement_count,
        batch_id
    from posts
    {% if is_incremental() %}
    where not exists (
        select 1
        from {{ this }} as loaded
        where
            loaded.post_id = posts.post_id
            and loaded.batch_id = posts.batch_id
    )
    {% endif %}

)

select * from published
