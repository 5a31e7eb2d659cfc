with

order_items as (

    select * from {{ ref('stg_mercato_sql__order_items') }}

),

orders as (

    select * from {{ ref('fct_orders') }}

),

order_lines as (

    select
        order_items.order_line_id,
        order_items.order_id,
        order_items.line_number,
        order_items.product_id,
        orders.customer_version_id,
        orders.is_cancelled,
        orders.placed_date,
        order_items.quantity,
        order_items.unit_price,
        cast(order_items.quantity * order_items.unit_price as decimal(12, 2)) as line_amount
    from order_items
    left join orders on order_items.order_id = orders.order_id

)

select * from order_lines
