{%- set service_fields = var('incident_service_fields') | map('lower') | map('replace', "'", "''") | list -%}

with

incidents as (

    select
        incident_key,
        workspace,
        {{ json_or_null('custom_field_entries') }} as entries
    from {{ ref('stg_orbit_incident_io__incidents') }}

),

-- A workspace calls the field as it likes. Its values are a list of their own.
service_fields as (

    select
        incidents.incident_key,
        incidents.workspace,
        {{ json_or_null(json_text('entry.value', ['values'])) }} as service_values
    from incidents
    {{ json_rows('incidents.entries', 'entry') }}
    where lower(trim({{ json_text('entry.value', ['custom_field', 'name']) }})) in ('{{ service_fields | join("', '") }}')

),

chosen as (

    select distinct
        service_fields.incident_key,
        service_fields.workspace,
        {{ json_text('service.value', ['value_catalog_entry', 'id']) }} as catalog_entry_id,
        {{ json_text('service.value', ['value_catalog_entry', 'name']) }} as service_name
    from service_fields
    {{ json_rows('service_fields.service_values', 'service') }}

),

incident_services as (

    select
        {{ surrogate_key(['incident_key', 'catalog_entry_id']) }} as incident_entry_key,
        incident_key,
        workspace,
        catalog_entry_id,
        service_name
    from chosen
    where catalog_entry_id is not null

)

select * from incident_services
