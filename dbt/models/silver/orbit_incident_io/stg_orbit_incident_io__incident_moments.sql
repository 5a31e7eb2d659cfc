with

incidents as (

    select
        incident_key,
        {{ json_or_null('incident_timestamp_values') }} as entries
    from {{ ref('stg_orbit_incident_io__incidents') }}

),

entries as (

    select
        incidents.incident_key,
        {{ json_text('entry.value', ['incident_timestamp', 'name']) }} as timestamp_name,
        {{ json_text('entry.value', ['value', 'value']) }} as occurred_at_text
    from incidents
    {{ json_rows('incidents.entries', 'entry') }}

),

-- A moment that has not come yet stands there without a value.
incident_moments as (

    select
        {{ surrogate_key(['incident_key', 'timestamp_name']) }} as moment_key,
        incident_key,
        timestamp_name,
        {{ utc_or_null('occurred_at_text') }} as occurred_at
    from entries
    where occurred_at_text is not null

)

select * from incident_moments
