with

source as (

    select * from {{ source('mercato_sql', 'orders') }}

),

orders as (

    select
        cast(id as bigint) as order_id,
        cast(customer_id as bigint) as customer_id,
        {{ text_or_null('status') }} as status,
        cast(total as decimal(12, 2)) as total_amount,
        placed_at,
        updated_at,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from orders
