with

source as (

    select * from {{ source('warbyparker_gladly', 'inboxes') }}

),

inboxes as (

    select
        {{ text_or_null('id') }} as inbox_id,
        {{ text_or_null('name') }} as inbox_name,
        {{ boolean_or_null('disabled') }} as is_disabled
    from source

)

select * from inboxes
