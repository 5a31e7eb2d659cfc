with

customer_versions as (

    select * from {{ ref('dim_customers_history') }}

),

orders as (

    select * from {{ ref('fct_orders') }}

),

current_customers as (

    select
        customer_id,
        city,
        is_inferred
    from customer_versions
    where is_current

),

customer_orders as (

    select
        customer_id,
        count(*) as order_count,
        count(case when is_cancelled then 1 end) as cancelled_order_count,
        sum(case when not is_cancelled then total_amount end) as net_amount,
        min(placed_date) as first_order_date,
        max(placed_date) as last_order_date
    from orders
    group by customer_id

),

customer_value as (

    select
        current_customers.customer_id,
        current_customers.city,
        current_customers.is_inferred,
        coalesce(customer_orders.order_count, 0) as order_count,
        coalesce(customer_orders.cancelled_order_count, 0) as cancelled_order_count,
        cast(coalesce(customer_orders.net_amount, 0) as decimal(18, 2)) as net_amount,
        customer_orders.first_order_date,
        customer_orders.last_order_date
    from current_customers
    left join customer_orders on current_customers.customer_id = customer_orders.customer_id

)

select * from customer_value
