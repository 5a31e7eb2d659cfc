with

products as (

    select * from {{ ref('stg_mercato_sql__products') }}

),

order_items as (

    select * from {{ ref('stg_mercato_sql__order_items') }}

),

inferred_products as (

    select distinct order_items.product_id
    from order_items
    left join products on order_items.product_id = products.product_id
    where
        order_items.product_id is not null
        and products.product_id is null

),

all_products as (

    select
        product_id,
        sku,
        product_name,
        price,
        is_withdrawn,
        withdrawn_at,
        false as is_inferred,
        updated_at
    from products

    union all

    select
        product_id,
        null as sku,
        null as product_name,
        null as price,
        false as is_withdrawn,
        null as withdrawn_at,
        true as is_inferred,
        null as updated_at
    from inferred_products

)

select * from all_products
