{{ config(group='commerce') }}

-- Days and customers sum what orders sum. Gives the three amounts where they differ.
with

from_orders as (

    select
        count(*) as order_count,
        cast(coalesce(sum(case when not is_cancelled then total_amount end), 0) as decimal(18, 2)) as net_amount
    from {{ ref('fct_orders') }}

),

from_days as (

    select
        coalesce(sum(order_count), 0) as order_count,
        cast(coalesce(sum(net_amount), 0) as decimal(18, 2)) as net_amount
    from {{ ref('agg_sales_daily') }}

),

from_customers as (

    select
        coalesce(sum(order_count), 0) as order_count,
        cast(coalesce(sum(net_amount), 0) as decimal(18, 2)) as net_amount
    from {{ ref('rpt_customer_value') }}

)

select
    from_orders.net_amount as orders_amount,
    from_days.net_amount as days_amount,
    from_customers.net_amount as customers_amount
from from_orders
cross join from_days
cross join from_customers
where
    from_orders.order_count <> from_days.order_count
    or from_orders.order_count <> from_customers.order_count
    or from_orders.net_amount <> from_days.net_amount
    or from_orders.net_amount <> from_customers.net_amount
