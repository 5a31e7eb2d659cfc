with

customers_versioned as (

    select * from {{ ref('int_customers_versioned') }}

)

select * from customers_versioned
