{{ config(group='commerce') }}

-- At every moment a customer has one version at most. Gives versions that hold for no time, and those that begin before
-- the one before them ends.
with

customer_versions as (

    select
        customer_version_id,
        customer_id,
        valid_from,
        valid_to,
        lag(valid_from) over (partition by customer_id order by valid_from) as previous_from,
        lag(valid_to) over (partition by customer_id order by valid_from) as previous_to
    from {{ ref('dim_customers_history') }}

)

select *
from customer_versions
where
    valid_to <= valid_from
    or (previous_from is not null and (previous_to is null or previous_to > valid_from))
