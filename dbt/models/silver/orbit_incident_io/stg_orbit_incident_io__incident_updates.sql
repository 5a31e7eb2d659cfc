with

source as (

    select
        instance,
        id,
        incident_id,
        created_at,
        {{ json_or_null('new_incident_status') }} as new_status
    from {{ ref('base_orbit_incident_io__incident_updates') }}

),

incident_updates as (

    select
        {{ surrogate_key(['instance', 'id']) }} as incident_update_key,
        {{ surrogate_key(['instance', 'incident_id']) }} as incident_key,
        {{ text_or_null('id') }} as incident_update_id,
        {{ utc_or_null('created_at') }} as posted_at,
        {{ json_text('new_status', ['category']) }} as status_category
    from source

)

select * from incident_updates
