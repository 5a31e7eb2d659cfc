with

orders as (

    select * from {{ ref('fct_orders') }}

),

order_lines as (

    select * from {{ ref('fct_order_lines') }}

),

orders_daily as (

    select
        placed_date as date_day,
        count(*) as order_count,
        count(case when is_cancelled then 1 end) as cancelled_order_count,
        count(distinct customer_id) as customer_count,
        cast(sum(total_amount) as decimal(18, 2)) as gross_amount,
        cast(coalesce(sum(case when not is_cancelled then total_amount end), 0) as decimal(18, 2)) as net_amount,
        cast(avg(case when not is_cancelled then total_amount end) as double precision) as average_order_amount
    from orders
    group by placed_date

),

units_daily as (

    select
        placed_date as date_day,
        cast(sum(quantity) as bigint) as unit_count
    from order_lines
    where not is_cancelled
    group by placed_date

),

sales_daily as (

    select
        orders_daily.date_day,
        orders_daily.order_count,
        orders_daily.cancelled_order_count,
        orders_daily.customer_count,
        coalesce(units_daily.unit_count, 0) as unit_count,
        orders_daily.gross_amount,
        orders_daily.net_amount,
        orders_daily.average_order_amount
    from orders_daily
    left join units_daily on orders_daily.date_day = units_daily.date_day

)

select * from sales_daily
