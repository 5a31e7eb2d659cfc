with

source as (

    select * from {{ source('mercato_sql', 'inventory') }}

),

inventory_levels as (

    select
        {{ surrogate_key(['product_id', 'warehouse']) }} as inventory_id,
        cast(product_id as bigint) as product_id,
        {{ text_or_null('warehouse') }} as warehouse,
        cast(quantity as bigint) as quantity,
        changed_at,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from inventory_levels
