{{ config(group='commerce') }}

-- The shop deletes no customer: each has one current version. Gives the customers for whom that does not hold.
with

customer_versions as (

    select * from {{ ref('dim_customers_history') }}

)

select
    customer_id,
    count(case when is_current then 1 end) as current_count
from customer_versions
group by customer_id
having count(case when is_current then 1 end) <> 1
