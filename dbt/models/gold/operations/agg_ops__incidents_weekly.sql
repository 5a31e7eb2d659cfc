with

incidents as (

    select * from {{ ref('fct_ops__incidents') }}

),

dated as (

    select
        incidents.*,
        cast({{ dbt.date_trunc('week', 'reported_date') }} as date) as week_date,
        coalesce(temperature, 'unknown') as temperature_or_unknown
    from incidents
    where reported_date is not null

),

-- What is excluded has a count and takes no part in any time.
summed as (

    select
        {{ surrogate_key(['week_date', 'workspace', 'temperature_or_unknown']) }} as incident_week_key,
        week_date,
        workspace,
        temperature_or_unknown as temperature,
        sum(case when is_counted then 1 else 0 end) as incident_count,
        sum(case when is_counted then 0 else 1 end) as excluded_count,
        sum(case when is_counted and is_reopened then 1 else 0 end) as reopened_count,
        sum(case when is_counted and resolved_at is null then 1 else 0 end) as unresolved_count,
        sum(case when is_counted then negative_span_count else 0 end) as negative_span_count,
        sum(case when is_counted then impact_minutes end) as impact_minutes,
        avg(case when is_counted then time_to_detect_seconds end) as average_time_to_detect_seconds,
        avg(case when is_counted then time_to_respond_seconds end) as average_time_to_respond_seconds,
        avg(case when is_counted then time_to_resolve_seconds end) as average_time_to_resolve_seconds,
        percentile_cont(0.5) within group (
            order by case when is_counted then time_to_resolve_seconds end
        ) as p50_time_to_resolve_seconds,
        percentile_cont(0.9) within group (
            order by case when is_counted then time_to_resolve_seconds end
        ) as p90_time_to_resolve_seconds
    from dated
    group by
        week_date,
        workspace,
        temperature_or_unknown

),

typed as (

    select
        incident_week_key,
        week_date,
        workspace,
        temperature,
        cast(incident_count as bigint) as incident_count,
        cast(excluded_count as bigint) as excluded_count,
        cast(reopened_count as bigint) as reopened_count,
        cast(unresolved_count as bigint) as unresolved_count,
        cast(negative_span_count as bigint) as negative_span_count,
        impact_minutes,
        cast(average_time_to_detect_seconds as double precision) as average_time_to_detect_seconds,
        cast(average_time_to_respond_seconds as double precision) as average_time_to_respond_seconds,
        cast(average_time_to_resolve_seconds as double precision) as average_time_to_resolve_seconds,
        cast(p50_time_to_resolve_seconds as double precision) as p50_time_to_resolve_seconds,
        cast(p90_time_to_resolve_seconds as double precision) as p90_time_to_resolve_seconds
    from summed

)

select * from typed
