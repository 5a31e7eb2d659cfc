with

source as (

    select * from {{ source('warbyparker_sprout_social', 'cases') }}

),

cases as (

    select
        {{ text_or_null('id') }} as case_id,
        {{ text_or_null('status') }} as status,
        {{ text_or_null('type') }} as case_type,
        {{ text_or_null('priority') }} as priority,
        {{ text_or_null('queue_id') }} as queue_id,
        {{ text_or_null('group_id') }} as group_id,
        {{ utc_or_null('created_time') }} as created_at,
        {{ utc_or_null('updated_time') }} as updated_at,
        {{ utc_or_null('closed_time') }} as closed_at
    from source

)

select * from cases
