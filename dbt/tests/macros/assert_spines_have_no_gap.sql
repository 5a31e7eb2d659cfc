{{ config(group='contact_centre', tags=['macros']) }}

-- Days over a change of clocks, weeks, months over a year's end, and a spine that ends where it begins.
with

bounds as (

    select 'days' as spine, cast('2026-10-31' as date) as first_day, cast('2026-11-03' as date) as end_day
    union all
    select 'none', cast('2026-10-31' as date), cast('2026-10-31' as date)

),

weeks_bounds as (

    select 'weeks' as spine, cast('2026-12-21' as date) as first_day, cast('2027-01-05' as date) as end_day

),

months_bounds as (

    select 'months' as spine, cast('2026-12-01' as date) as first_day, cast('2027-02-01' as date) as end_day

),

found as (

    {{ date_spine('bounds', 'first_day', 'end_day', keep=['spine']) | indent }}
    union all
    {{ date_spine('weeks_bounds', 'first_day', 'end_day', datepart='week', keep=['spine']) | indent }}
    union all
    {{ date_spine('months_bounds', 'first_day', 'end_day', datepart='month', keep=['spine']) | indent }}

),

expected as (

    {%- for spine, day in [
        ('days', '2026-10-31'), ('days', '2026-11-01'), ('days', '2026-11-02'), ('weeks', '2026-12-21'), ('weeks', '2026-12-28'),
        ('weeks', '2027-01-04'), ('months', '2026-12-01'), ('months', '2027-01-01'),
    ] %}
    select '{{ spine }}' as spine, cast('{{ day }}' as date) as date_day
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    coalesce(found.spine, expected.spine) as spine,
    found.date_day as found_day,
    expected.date_day as expected_day
from found
full outer join expected
    on
        found.spine = expected.spine
        and found.date_day = expected.date_day
where
    found.date_day is null
    or expected.date_day is null
