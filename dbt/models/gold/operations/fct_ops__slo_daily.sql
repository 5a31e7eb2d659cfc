with

slo_days as (

    select * from {{ ref('int_slos_daily') }}

),

keyed as (

    select
        slo_day_key,
        slo_key,
        provider,
        slo_id,
        slo_name,
        objective_name,
        {{ surrogate_key(['service_name']) }} as service_key,
        date_day,
        measured_over,
        target_share,
        sli_share,
        good_count,
        total_count,
        error_budget_remaining_share,
        is_met,
        is_corrected
    from slo_days

)

select * from keyed
