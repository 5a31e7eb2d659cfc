{{ config(group='commerce') }}

-- An order's total is the sum of its lines. Gives the orders for which that does not hold, those without lines too.
with

orders as (

    select * from {{ ref('fct_orders') }}

),

order_lines as (

    select * from {{ ref('fct_order_lines') }}

)

select
    orders.order_id,
    orders.total_amount,
    cast(sum(order_lines.line_amount) as decimal(12, 2)) as lines_amount
from orders
left join order_lines on orders.order_id = order_lines.order_id
group by
    orders.order_id,
    orders.total_amount
having
    sum(order_lines.line_amount) is null
    or cast(sum(order_lines.line_amount) as decimal(12, 2)) <> orders.total_amount
