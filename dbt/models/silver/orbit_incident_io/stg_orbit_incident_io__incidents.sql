{# Read by four models, and full of JSON, so built once. #}
{{ config(materialized='table') }}

with

source as (

    select * from {{ ref('base_orbit_incident_io__incidents') }}

),

parsed as (

    select
        {{ surrogate_key(['instance', 'id']) }} as incident_key,
        instance as workspace,
        {{ text_or_null('id') }} as incident_id,
        {{ text_or_null('reference') }} as reference,
        {{ text_or_null('mode') }} as mode,
        {{ json_or_null('severity') }} as severity,
        {{ json_or_null('incident_status') }} as status,
        {{ utc_or_null('created_at') }} as declared_at,
        {{ utc_or_null('updated_at') }} as updated_at,
        incident_timestamp_values,
        custom_field_entries,
        {{ utc_of_instant('_loaded_at') }} as loaded_at,
        _batch_id as batch_id
    from source

),

-- A state that cannot say when it was written is older than every other.
ranked as (

    select
        parsed.*,
        row_number() over (
            partition by incident_key
            order by case when updated_at is null then 1 else 0 end, updated_at desc, loaded_at desc, batch_id desc
        ) as place
    from parsed

),

incidents as (

    select
        incident_key,
        workspace,
        incident_id,
        reference,
        mode,
        {{ json_text('status', ['name']) }} as status_name,
        {{ json_text('status', ['category']) }} as status_category,
        {{ json_text('severity', ['name']) }} as severity_name,
        {{ integer_or_null(json_text('severity', ['rank'])) }} as severity_rank,
        declared_at,
        updated_at,
        incident_timestamp_values,
        custom_field_entries,
        loaded_at,
        batch_id
    from ranked
    where place = 1

)

select * from incidents
