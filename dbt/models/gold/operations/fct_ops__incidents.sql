{#
    Incidents change for weeks, and always by a load: an incremental run takes what was loaded since some days before the
    newest load that it knows, so that loads of other workspaces which ended in another order are not missed. Load time
    decides and not the incident's own, for a new workspace brings old incidents.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='incident_key',
        on_schema_change='fail',
        cluster_by=['reported_date'],
        snowflake_warehouse=warehouse_of_run(),
    )
}}

with

incidents as (

    select * from {{ ref('int_incidents_timed') }}

),

changed as (

    select
        incident_key,
        workspace,
        incident_id,
        reference,
        mode,
        status_name,
        status_category,
        severity_name,
        severity_rank,
        temperature,
        declared_at,
        reported_date,
        impact_started_at,
        reported_at,
        accepted_at,
        identified_at,
        fixed_at,
        resolved_at,
        closed_at,
        time_to_detect_seconds,
        time_to_respond_seconds,
        time_to_resolve_seconds,
        impact_minutes,
        negative_span_count,
        reopen_count,
        reopen_count > 0 as is_reopened,
        is_counted,
        exclusion_reason,
        updated_at,
        loaded_at
    from incidents
    {% if is_incremental() %}
    where
        loaded_at >= coalesce(
            (
                select {{ dbt.dateadd('day', -var('incident_lookback_days'), 'max(known.loaded_at)') }}
                from {{ this }} as known
            ),
            {{ utc_of_epoch(0) }}
        )
    {% endif %}

)

select * from changed
