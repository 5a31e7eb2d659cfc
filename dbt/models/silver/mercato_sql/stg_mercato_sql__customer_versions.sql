with

source as (

    select * from {{ source('mercato_sql', 'customers') }}

),

customer_versions as (

    select
        {{ surrogate_key(['id', '_valid_from']) }} as customer_version_key,
        cast(id as bigint) as customer_id,
        {{ hash_pii('email') }} as email_hash,
        {{ hash_pii('phone') }} as phone_hash,
        {{ hash_pii('street') }} as street_hash,
        {{ text_or_null('city') }} as city,
        created_at,
        updated_at,
        {{ utc_of_instant('_valid_from') }} as valid_from,
        {{ utc_of_instant('_valid_to') }} as valid_to,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from customer_versions
