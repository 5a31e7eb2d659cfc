{{ config(group='contact_centre', tags=['macros']) }}

-- A day is YYYY-MM-DD and in the calendar.
with

given as (

    select cast('2026-10-31' as {{ dbt.type_string() }}) as value, cast('2026-10-31' as date) as expected
    union all
    select ' 2024-02-29 ', cast('2024-02-29' as date)
    union all
    select '2026-02-29', cast(null as date)
    union all
    select '2026-04-31', cast(null as date)
    union all
    select '2026-13-01', cast(null as date)
    union all
    select '0000-01-01', cast(null as date)
    union all
    select '2026-1-5', cast(null as date)
    union all
    select '2026/01/05', cast(null as date)
    union all
    select '2026-01-05T00:00:00', cast(null as date)
    union all
    select 'infinity', cast(null as date)
    union all
    select 'epoch', cast(null as date)
    union all
    select 'spring', cast(null as date)
    union all
    select '', cast(null as date)
    union all
    select cast(null as {{ dbt.type_string() }}), cast(null as date)

),

read as (

    select
        value,
        expected,
        {{ date_or_null('value') }} as found
    from given

)

select *
from read
where found is distinct from expected
