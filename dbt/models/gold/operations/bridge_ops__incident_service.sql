{#
    All rows of an incident are written anew when the hash of its services differs from the one that is here, and none
    else, so `changed_at` says when the set changed. Every incident has a row: where services are taken away there is still
    one to write.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='incident_key',
        on_schema_change='fail',
        snowflake_warehouse=warehouse_of_run(),
    )
}}

with

incident_services as (

    select * from {{ ref('int_incident_services') }}

),

changed as (

    select
        incident_service_key,
        incident_key,
        service_key,
        services_hash,
        service_count,
        cast(1 as double precision) / service_count as service_share,
        updated_at as changed_at
    from incident_services
    {% if is_incremental() %}
    where
        not exists (
            select 1
            from {{ this }} as known
            where
                known.incident_key = incident_services.incident_key
                and known.services_hash = incident_services.services_hash
        )
    {% endif %}

)

select * from changed
