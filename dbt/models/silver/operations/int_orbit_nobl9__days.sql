with

nobl9_objectives as (

    select * from {{ ref('stg_orbit_nobl9__objectives') }}

),

-- Nobl9 tells how an objective stands over its own window; the day's last reading is the day's.
nobl9_ranked as (

    select
        nobl9_objectives.*,
        row_number() over (
            partition by project_name, slo_name, objective_name, cast(read_at as date)
            order by read_at desc
        ) as place
    from nobl9_objectives

),

slo_days as (

    select
        'nobl9' as provider,
        project_name || '/' || slo_name || '/' || objective_name as slo_id,
        slo_name,
        objective_name,
        service_name,
        cast(read_at as date) as date_day,
        'rolling' as measured_over,
        target_share,
        sli_share,
        good_count,
        total_count,
        error_budget_remaining_share,
        false as is_corrected
    from nobl9_ranked
    where place = 1

),

keyed as (

    select
        {{ surrogate_key(['provider', 'slo_id', 'date_day']) }} as slo_day_key,
        slo_days.*
    from slo_days

)

select * from keyed
