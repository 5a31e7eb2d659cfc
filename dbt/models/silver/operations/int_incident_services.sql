with

incident_services as (

    select * from {{ ref('stg_orbit_incident_io__incident_services') }}

),

catalog_services as (

    select * from {{ ref('stg_orbit_incident_io__catalog_services') }}

),

incidents as (

    select * from {{ ref('stg_orbit_incident_io__incidents') }}

),

-- An incident keeps the name that a service had when the incident was last changed; the catalogue knows today's. One
-- service that two importers wrote is one service.
named as (

    select distinct
        incident_services.incident_key,
        {{ service_slug('coalesce(catalog_services.service_name, incident_services.service_name)') }} as service_name
    from incident_services
    left join catalog_services
        on
            incident_services.workspace = catalog_services.workspace
            and incident_services.catalog_entry_id = catalog_services.catalog_entry_id

),

-- An incident without services has the service of that name, so that every incident has a row and a set to compare.
completed as (

    select
        incidents.incident_key,
        incidents.updated_at,
        coalesce(named.service_name, '(none)') as service_name
    from incidents
    left join named on incidents.incident_key = named.incident_key

),

keyed as (

    select
        incident_key,
        updated_at,
        {{ surrogate_key(['service_name']) }} as service_key,
        service_name
    from completed

),

service_sets as (

    select
        incident_key,
        {{ dbt.hash(dbt.listagg('service_key', "','", 'order by service_key')) }} as services_hash,
        count(*) as service_count
    from keyed
    group by incident_key

),

hashed as (

    select
        {{ surrogate_key(['keyed.incident_key', 'keyed.service_key']) }} as incident_service_key,
        keyed.incident_key,
        keyed.service_key,
        keyed.service_name,
        service_sets.services_hash,
        cast(service_sets.service_count as bigint) as service_count,
        keyed.updated_at
    from keyed
    inner join service_sets on keyed.incident_key = service_sets.incident_key

)

select * from hashed
