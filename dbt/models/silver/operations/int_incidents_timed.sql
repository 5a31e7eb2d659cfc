{%- set moments = var('incident_moments') -%}
{%- set spans = var('incident_spans') -%}

{# Read by the fact and, through it, by the report; its windows are not cheap, so built once. #}
{{ config(materialized='table') }}

with

incidents as (

    select * from {{ ref('stg_orbit_incident_io__incidents') }}

),

incident_moments as (

    select * from {{ ref('stg_orbit_incident_io__incident_moments') }}

),

severities as (

    select * from {{ ref('stg_orbit_incident_io__severities') }}

),

reopened as (

    select * from {{ ref('int_incidents_reopened') }}

),

moments as (

    select
        incident_key,
        {%- for moment, names in moments.items() %}
        {{ incident_moment(names) }} as {{ moment }}{{ "," if not loop.last }}
        {%- endfor %}
    from incident_moments
    group by incident_key

),

-- How many of the workspace's severities are no more severe than the incident's: of three, the second is 2 of 3.
ranked as (

    select
        incidents.incident_key,
        sum(case when severities.severity_rank <= incidents.severity_rank then 1 else 0 end) as severity_place,
        count(*) as severity_count
    from incidents
    inner join severities on incidents.workspace = severities.workspace
    where incidents.severity_rank is not null
    group by incidents.incident_key

),

measured as (

    select
        incidents.incident_key,
        incidents.workspace,
        incidents.incident_id,
        incidents.reference,
        incidents.mode,
        incidents.status_name,
        incidents.status_category,
        incidents.severity_name,
        incidents.severity_rank,
        case
            when 3 * ranked.severity_place > 2 * ranked.severity_count then 'hot'
            when 3 * ranked.severity_place > ranked.severity_count then 'warm'
            when ranked.severity_place is not null then 'cold'
        end as temperature,
        incidents.declared_at,
        {%- for moment in moments %}
        moments.{{ moment }},
        {%- endfor %}
        {%- for span, pairs in spans.items() %}
        {{ incident_span(pairs) }} as {{ span }},
        {%- endfor %}
        coalesce(reopened.reopen_count, 0) as reopen_count,
        case
            when incidents.mode in ('test', 'tutorial') then incidents.mode
            when incidents.status_category in ('declined', 'merged', 'canceled') then incidents.status_category
        end as exclusion_reason,
        incidents.updated_at,
        incidents.loaded_at
    from incidents
    left join moments on incidents.incident_key = moments.incident_key
    left join ranked on incidents.incident_key = ranked.incident_key
    left join reopened on incidents.incident_key = reopened.incident_key

),

-- Nobody responds to what is told after its end: its acceptance is a date of paperwork.
responded as (

    select
        incident_key,
        case when coalesce(mode, '') <> 'retrospective' then time_to_respond_seconds end as response_seconds
    from measured

),

-- People enter these times. One that ends before it begins is a slip: it is unknown, and counted.
timed as (

    select
        measured.incident_key,
        measured.workspace,
        measured.incident_id,
        measured.reference,
        measured.mode,
        measured.status_name,
        measured.status_category,
        measured.severity_name,
        measured.severity_rank,
        measured.temperature,
        measured.declared_at,
        {{ local_date('coalesce(measured.reported_at, measured.declared_at)') }} as reported_date,
        {%- for moment in moments %}
        measured.{{ moment }},
        {%- endfor %}
        {{ null_if_negative('measured.time_to_detect_seconds') }} as time_to_detect_seconds,
        {{ null_if_negative('responded.response_seconds') }} as time_to_respond_seconds,
        {{ null_if_negative('measured.time_to_resolve_seconds') }} as time_to_resolve_seconds,
        cast({{ null_if_negative('measured.impact_seconds') }} as double precision) / 60 as impact_minutes,
        cast(
            case when measured.time_to_detect_seconds < 0 then 1 else 0 end
            + case when responded.response_seconds < 0 then 1 else 0 end
            + case when measured.time_to_resolve_seconds < 0 then 1 else 0 end
            + case when measured.impact_seconds < 0 then 1 else 0 end
            as bigint
        ) as negative_span_count,
        cast(measured.reopen_count as bigint) as reopen_count,
        measured.exclusion_reason,
        measured.exclusion_reason is null as is_counted,
        measured.updated_at,
        measured.loaded_at
    from measured
    inner join responded on measured.incident_key = responded.incident_key

)

select * from timed
