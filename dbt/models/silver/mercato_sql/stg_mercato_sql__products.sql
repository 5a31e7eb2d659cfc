with

source as (

    select * from {{ source('mercato_sql', 'products') }}

),

products as (

    select
        cast(id as bigint) as product_id,
        {{ text_or_null('sku') }} as sku,
        {{ text_or_null('name') }} as product_name,
        cast(price as decimal(10, 2)) as price,
        updated_at,
        _is_deleted as is_withdrawn,
        -- Of a deleted row, bronze has the values before the delete, and the delete's own `updated_at`.
        case when _is_deleted then coalesce(deleted_at, updated_at) end as withdrawn_at
    from source

)

select * from products
