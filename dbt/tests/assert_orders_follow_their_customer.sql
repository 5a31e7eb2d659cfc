{{ config(group='commerce') }}

-- An order stands with the version of its own customer that was valid when it was placed, never with a later one. Gives
-- the orders for which that does not hold.
with

orders as (

    select * from {{ ref('fct_orders') }}

),

customer_versions as (

    select * from {{ ref('dim_customers_history') }}

)

select
    orders.order_id,
    orders.placed_at,
    customer_versions.valid_from,
    customer_versions.valid_to
from orders
left join customer_versions on orders.customer_version_id = customer_versions.customer_version_id
where
    customer_versions.customer_version_id is null
    or customer_versions.customer_id <> orders.customer_id
    or orders.placed_at < customer_versions.valid_from
    or orders.placed_at >= customer_versions.valid_to
