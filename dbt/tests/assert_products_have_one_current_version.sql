{{ config(group='commerce') }}

-- The shop keeps the rows of withdrawn products: each has one current version. Gives the products for which that does not
-- hold.
with

product_versions as (

    select * from {{ ref('dim_products_history') }}

)

select
    product_id,
    count(case when is_current then 1 end) as current_count
from product_versions
group by product_id
having count(case when is_current then 1 end) <> 1
