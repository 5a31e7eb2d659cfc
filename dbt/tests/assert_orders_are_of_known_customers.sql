{{ config(group='commerce', severity='warn') }}

-- The shop should know a customer before the first order. Gives the orders that came before; they stand with an inferred one.
with

orders as (

    select * from {{ ref('fct_orders') }}

),

customer_versions as (

    select * from {{ ref('dim_customers_history') }}

)

select
    orders.order_id,
    orders.customer_id,
    orders.placed_at
from orders
inner join customer_versions on orders.customer_version_id = customer_versions.customer_version_id
where customer_versions.is_inferred
