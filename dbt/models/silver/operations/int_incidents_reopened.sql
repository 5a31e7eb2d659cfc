with

incident_updates as (

    select * from {{ ref('stg_orbit_incident_io__incident_updates') }}

),

preceded as (

    select
        incident_key,
        status_category,
        lag(status_category) over (
            partition by incident_key
            order by posted_at, incident_update_id
        ) as previous_category
    from incident_updates
    where
        posted_at is not null
        and status_category is not null

),

reopened as (

    select
        incident_key,
        count(*) as reopen_count
    from preceded
    where
        previous_category in ('learning', 'closed')
        and status_category in ('triage', 'live', 'paused')
    group by incident_key

)

select * from reopened
