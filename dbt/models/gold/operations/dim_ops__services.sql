with

catalog_services as (

    select * from {{ ref('stg_orbit_incident_io__catalog_services') }}

),

incident_services as (

    select * from {{ ref('int_incident_services') }}

),

-- A service that only an incident names is one, too. Objectives come from other pipelines, and one pipeline's run must
-- not wait for another's: theirs are tested against these.
mentions as (

    select
        {{ service_slug('service_name') }} as service_name,
        case when is_listed then workspace end as listing_workspace
    from catalog_services
    where service_name is not null

    union all

    select distinct
        service_name,
        cast(null as {{ dbt.type_string() }}) as listing_workspace
    from incident_services

    union all

    select
        '(none)' as service_name,
        cast(null as {{ dbt.type_string() }}) as listing_workspace

),

services as (

    select
        {{ surrogate_key(['service_name']) }} as service_key,
        service_name,
        count(listing_workspace) > 0 as is_listed,
        cast(count(distinct listing_workspace) as bigint) as workspace_count,
        cast(count(listing_workspace) as bigint) as catalog_entry_count
    from mentions
    group by service_name

)

select * from services
