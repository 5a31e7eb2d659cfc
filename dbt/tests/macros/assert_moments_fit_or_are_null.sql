{{ config(group='contact_centre', tags=['macros']) }}

-- A moment with an offset, or in UTC; in the calendar and on the clock.
with

given as (

    select cast('2026-10-31T00:00-0400' as {{ dbt.type_string() }}) as value, cast('2026-10-31 04:00:00' as timestamp) as expected
    union all
    select '2026-10-31T00:00:00-04:00', cast('2026-10-31 04:00:00' as timestamp)
    union all
    select '2026-10-31 12:30:15Z', cast('2026-10-31 12:30:15' as timestamp)
    union all
    select '2026-10-31T12:30:15.250Z', cast('2026-10-31 12:30:15.25' as timestamp)
    union all
    select '2026-10-31T12:30', cast('2026-10-31 12:30:00' as timestamp)
    union all
    select '2026-10-31', cast('2026-10-31 00:00:00' as timestamp)
    union all
    select '2026-01-01T00:00:00+14:00', cast('2025-12-31 10:00:00' as timestamp)
    union all
    select '2026-01-01T00:00:00+16:00', cast(null as timestamp)
    union all
    select '2026-02-30T00:00:00Z', cast(null as timestamp)
    union all
    select '2026-01-01T24:00:00Z', cast(null as timestamp)
    union all
    select '2026-01-01T12:60:00Z', cast(null as timestamp)
    union all
    select '0000-01-01T00:00:00Z', cast(null as timestamp)
    union all
    select 'now', cast(null as timestamp)
    union all
    select 'soon', cast(null as timestamp)
    union all
    select '', cast(null as timestamp)
    union all
    select cast(null as {{ dbt.type_string() }}), cast(null as timestamp)

),

read as (

    select
        value,
        expected,
        {{ utc_or_null('value') }} as found
    from given

)

select *
from read
where found is distinct from expected
