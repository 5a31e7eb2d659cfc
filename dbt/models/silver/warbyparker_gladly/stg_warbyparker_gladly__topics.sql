with

source as (

    select * from {{ source('warbyparker_gladly', 'topics') }}

),

topics as (

    select
        {{ text_or_null('id') }} as topic_id,
        {{ text_or_null('parent_id') }} as parent_topic_id,
        {{ text_or_null('name') }} as topic_name,
        {{ boolean_or_null('disabled') }} as is_disabled
    from source

)

select * from topics
