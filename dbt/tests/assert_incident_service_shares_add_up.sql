-- Every incident is shared out among its services once and whole.
with

incident_services as (

    select * from {{ ref('bridge_ops__incident_service') }}

)

select
    incident_key,
    sum(service_share) as service_shares
from incident_services
group by incident_key
having
    abs(sum(service_share) - 1) > 0.000001
    or count(distinct services_hash) <> 1
