{# A name that no moment in `incident_moments` has: its times are in no column until it is added there. #}
{{ config(severity='warn', group='operations') }}

{%- set names = [] -%}
{%- for known in var('incident_moments').values() -%}
    {%- do names.extend(known) -%}
{%- endfor -%}

with

incident_timestamps as (

    select * from {{ ref('stg_orbit_incident_io__incident_timestamps') }}

)

select
    workspace,
    timestamp_name
from incident_timestamps
where lower(trim(timestamp_name)) not in ('{{ names | map('lower') | map('replace', "'", "''") | join("', '") }}')
