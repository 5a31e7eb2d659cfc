with

product_versions as (

    select * from {{ ref('snap_mercato_sql__products') }}

),

products_history as (

    select
        {{ surrogate_key(['product_id', epoch_microseconds('dbt_valid_from')]) }} as product_version_id,
        product_id,
        sku,
        product_name,
        price,
        is_withdrawn,
        dbt_valid_from as valid_from,
        dbt_valid_to as valid_to,
        dbt_valid_to is null as is_current
    from product_versions

)

select * from products_history
