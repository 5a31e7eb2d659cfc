with

slo_days as (

    {% for model in built_models(['int_orbit_datadog_slo__days', 'int_orbit_nobl9__days']) -%}
    select * from {{ model }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

judged as (

    select
        slo_day_key,
        {{ surrogate_key(['provider', 'slo_id']) }} as slo_key,
        provider,
        slo_id,
        slo_name,
        objective_name,
        {{ service_slug("coalesce(service_name, '(none)')") }} as service_name,
        date_day,
        measured_over,
        target_share,
        sli_share,
        good_count,
        total_count,
        error_budget_remaining_share,
        sli_share >= target_share as is_met,
        is_corrected
    from slo_days

)

select * from judged
