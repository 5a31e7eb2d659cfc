{%- set service_types = var('service_catalog_types') | map('replace', "'", "''") | list -%}

with

catalog_entries as (

    select * from {{ ref('base_orbit_incident_io__catalog_entries') }}

),

catalog_types as (

    select
        instance,
        id as catalog_type_id
    from {{ ref('base_orbit_incident_io__catalog_types') }}
    where type_name in ('{{ service_types | join("', '") }}')

),

versions as (

    select
        catalog_entries.instance,
        catalog_entries.id,
        catalog_entries.name,
        catalog_entries._is_current,
        row_number() over (
            partition by catalog_entries.instance, catalog_entries.id
            order by catalog_entries._valid_from desc
        ) as place
    from catalog_entries
    inner join catalog_types
        on
            catalog_entries.instance = catalog_types.instance
            and catalog_entries.catalog_type_id = catalog_types.catalog_type_id

),

-- The newest version of an entry is closed where the entry has left the catalogue.
catalog_services as (

    select
        {{ surrogate_key(['instance', 'id']) }} as catalog_entry_key,
        instance as workspace,
        {{ text_or_null('id') }} as catalog_entry_id,
        {{ text_or_null('name') }} as service_name,
        _is_current as is_listed
    from versions
    where place = 1

)

select * from catalog_services
