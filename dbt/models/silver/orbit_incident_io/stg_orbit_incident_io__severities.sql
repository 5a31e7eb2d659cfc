with

source as (

    select * from {{ ref('base_orbit_incident_io__severities') }}

),

severities as (

    select
        {{ surrogate_key(['instance', 'id']) }} as severity_key,
        instance as workspace,
        {{ text_or_null('id') }} as severity_id,
        {{ text_or_null('name') }} as severity_name,
        {{ integer_or_null('rank') }} as severity_rank
    from source

)

select * from severities
