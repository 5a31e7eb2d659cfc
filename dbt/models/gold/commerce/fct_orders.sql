{#
    An order changes for days, and always by a load. What was loaded since some days before the newest load that this
    table knows is taken again, and so are all orders of customers of whom a version came: a late one takes its
    place among the others, and orders that stood with an inferred customer go to it.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='order_id',
        on_schema_change='fail',
    )
}}

with

orders as (

    select * from {{ ref('stg_mercato_sql__orders') }}

),

customer_versions as (

    select * from {{ ref('dim_customers_history') }}

),

{% if is_incremental() %}
lookback as (

    select coalesce(
        {{ dbt.dateadd('day', -var('order_lookback_days'), 'max(loaded_at)') }},
        cast('1970-01-01' as {{ dbt.type_timestamp() }})
    ) as loaded_from
    from {{ this }}

),

changed_customers as (

    select distinct customer_versions.customer_id
    from customer_versions
    cross join lookback
    where customer_versions.loaded_at >= lookback.loaded_from

),

{% endif %}
changed_orders as (

    select orders.*
    from orders
    {% if is_incremental() %}
    cross join lookback
    where
        orders.loaded_at >= lookback.loaded_from
        or orders.customer_id in (
            select customer_id
            from changed_customers
        )
    {% endif %}

),

orders_with_customers as (

    select
        changed_orders.order_id,
        changed_orders.customer_id,
        customer_versions.customer_version_id,
        changed_orders.status,
        changed_orders.status = 'cancelled' as is_cancelled,
        changed_orders.total_amount,
        changed_orders.placed_at,
        {{ local_date('changed_orders.placed_at') }} as placed_date,
        changed_orders.updated_at,
        changed_orders.loaded_at
    from changed_orders
    left join customer_versions
        on
            changed_orders.customer_id = customer_versions.customer_id
            and changed_orders.placed_at >= customer_versions.valid_from
            and (customer_versions.valid_to is null or changed_orders.placed_at < customer_versions.valid_to)

)

select * from orders_with_customers
