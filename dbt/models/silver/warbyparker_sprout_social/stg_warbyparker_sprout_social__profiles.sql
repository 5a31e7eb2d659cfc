with

source as (

    select * from {{ source('warbyparker_sprout_social', 'profiles') }}

),

profiles as (

    select
        {{ text_or_null('customer_profile_id') }} as profile_id,
        {{ text_or_null('network_type') }} as network_type,
        {{ text_or_null('name') }} as profile_name,
        {{ text_or_null('native_name') }} as native_name,
        {{ text_or_null('link') }} as profile_link
    from source

)

select * from profiles
