with

source as (

    select * from {{ source('mercato_sql', 'order_items') }}

),

order_items as (

    select
        {{ surrogate_key(['order_id', 'line']) }} as order_line_id,
        cast(order_id as bigint) as order_id,
        cast(line as bigint) as line_number,
        cast(product_id as bigint) as product_id,
        cast(quantity as bigint) as quantity,
        cast(price as decimal(10, 2)) as unit_price,
        ordered_at
    from source

)

select * from order_items
