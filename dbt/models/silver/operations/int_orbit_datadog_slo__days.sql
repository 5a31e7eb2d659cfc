with

history as (

    select * from {{ ref('stg_orbit_datadog_slo__history') }}

),

slos as (

    select * from {{ ref('stg_orbit_datadog_slo__slos') }}

),

corrections as (

    select * from {{ ref('stg_orbit_datadog_slo__corrections') }}

),

-- The definition that was known at the day's end, else the first one that was read.
defined as (

    select
        history.slo_day_key,
        slos.slo_name,
        slos.service_name,
        slos.target_share,
        row_number() over (
            partition by history.slo_day_key
            order by
                case when slos.valid_from < history.ended_at then 0 else 1 end,
                case when slos.valid_from < history.ended_at then slos.valid_from end desc,
                slos.valid_from
        ) as place
    from history
    inner join slos on history.slo_id = slos.slo_id

),

corrected as (

    select distinct history.slo_day_key
    from history
    inner join corrections
        on
            history.slo_id = corrections.slo_id
            and corrections.started_at < history.ended_at
            and corrections.ended_at > history.began_at

),

slo_days as (

    select
        'datadog' as provider,
        history.slo_id,
        defined.slo_name,
        cast(null as {{ dbt.type_string() }}) as objective_name,
        defined.service_name,
        cast(history.began_at as date) as date_day,
        'day' as measured_over,
        defined.target_share,
        history.sli_share,
        history.good_count,
        history.total_count,
        1 - (1 - history.sli_share) / nullif(1 - defined.target_share, 0) as error_budget_remaining_share,
        corrected.slo_day_key is not null as is_corrected
    from history
    left join defined
        on
            history.slo_day_key = defined.slo_day_key
            and defined.place = 1
    left join corrected on history.slo_day_key = corrected.slo_day_key
    where history.began_at is not null

),

keyed as (

    select
        {{ surrogate_key(['provider', 'slo_id', 'date_day']) }} as slo_day_key,
        slo_days.*
    from slo_days

)

select * from keyed
