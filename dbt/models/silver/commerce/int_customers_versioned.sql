with

customer_versions as (

    select * from {{ ref('stg_mercato_sql__customer_versions') }}

),

orders as (

    select * from {{ ref('stg_mercato_sql__orders') }}

),

known_versions as (

    {{ scd2_from_versions('customer_versions', 'customer_id', ['email_hash', 'phone_hash', 'street_hash', 'city']) }}

),

first_versions as (

    select
        customer_id,
        min(valid_from) as known_from
    from known_versions
    group by customer_id

),

inferred_versions as (

    -- An order may come before its customer: whoever ordered is a customer from then on, of whom nothing else is known.
    select
        orders.customer_id,
        min(orders.placed_at) as valid_from,
        max(first_versions.known_from) as valid_to,
        max(orders.loaded_at) as loaded_at
    from orders
    left join first_versions on orders.customer_id = first_versions.customer_id
    where
        orders.customer_id is not null
        and (first_versions.known_from is null or orders.placed_at < first_versions.known_from)
    group by orders.customer_id

),

customers_versioned as (

    select
        {{ surrogate_key(['customer_id', epoch_microseconds('valid_from')]) }} as customer_version_id,
        customer_id,
        email_hash,
        phone_hash,
        street_hash,
        city,
        false as is_inferred,
        valid_from,
        valid_to,
        valid_to is null as is_current,
        loaded_at
    from known_versions

    union all

    -- The key is not of its time: an older order moves the begin, and facts keep the key.
    select
        {{ surrogate_key(['customer_id', "'inferred'"]) }} as customer_version_id,
        customer_id,
        null as email_hash,
        null as phone_hash,
        null as street_hash,
        null as city,
        true as is_inferred,
        valid_from,
        valid_to,
        valid_to is null as is_current,
        loaded_at
    from inferred_versions

)

select * from customers_versioned
