with

slo_days as (

    select * from {{ ref('fct_ops__slo_daily') }}

),

placed as (

    select
        slo_days.*,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_date,
        row_number() over (
            partition by slo_key, {{ dbt.date_trunc('month', 'date_day') }}
            order by date_day desc
        ) as place_from_end
    from slo_days

),

-- A target that moved within the month counts as it stood last. A reading that looks back over its own window is not
-- added to others: the last one that has a value stands for the month.
last_readings as (

    select
        slo_key,
        month_date,
        sli_share,
        error_budget_remaining_share,
        row_number() over (
            partition by slo_key, month_date
            order by date_day desc
        ) as place
    from placed
    where
        measured_over = 'rolling'
        and sli_share is not null

),

months as (

    select
        slo_key,
        month_date,
        min(provider) as provider,
        min(slo_id) as slo_id,
        max(case when place_from_end = 1 then slo_name end) as slo_name,
        max(case when place_from_end = 1 then objective_name end) as objective_name,
        max(case when place_from_end = 1 then service_key end) as service_key,
        min(measured_over) as measured_over,
        max(case when place_from_end = 1 then target_share end) as target_share,
        cast(count(sli_share) as bigint) as measured_day_count,
        cast(sum(case when is_met then 1 else 0 end) as bigint) as met_day_count,
        cast(sum(case when is_corrected then 1 else 0 end) as bigint) as corrected_day_count,
        -- Days weigh as much as they had events; where time is measured they weigh the same.
        coalesce(sum(good_count) / nullif(sum(total_count), 0), avg(sli_share)) as daily_sli_share
    from placed
    group by
        slo_key,
        month_date

),

joined as (

    select
        months.*,
        case when months.measured_over = 'rolling' then last_readings.sli_share else months.daily_sli_share end as sli_share,
        last_readings.error_budget_remaining_share as rolling_budget_share
    from months
    left join last_readings
        on
            months.slo_key = last_readings.slo_key
            and months.month_date = last_readings.month_date
            and last_readings.place = 1

),

attained as (

    select
        {{ surrogate_key(['slo_key', 'month_date']) }} as slo_month_key,
        slo_key,
        month_date,
        provider,
        slo_id,
        slo_name,
        objective_name,
        service_key,
        measured_over,
        target_share,
        sli_share,
        case
            when measured_over = 'rolling' then rolling_budget_share
            else 1 - (1 - sli_share) / nullif(1 - target_share, 0)
        end as error_budget_remaining_share,
        sli_share >= target_share as is_met,
        measured_day_count,
        met_day_count,
        cast(met_day_count as double precision) / nullif(measured_day_count, 0) as met_day_share,
        corrected_day_count
    from joined

)

select * from attained
