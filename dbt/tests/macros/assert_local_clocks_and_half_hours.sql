{{ config(group='contact_centre', tags=['macros']) }}

-- Clocks of New York on days on which they change, read into UTC, and the half hour that a moment lies in.
with

given as (

    select cast('2026-03-07 12:00:00' as timestamp) as shown, cast('2026-03-07 17:00:00' as timestamp) as expected_at, cast('2026-03-07 17:00:00' as timestamp) as expected_half_hour
    union all
    select cast('2026-03-08 12:29:59' as timestamp), cast('2026-03-08 16:29:59' as timestamp), cast('2026-03-08 16:00:00' as timestamp)
    union all
    select cast('2026-11-01 00:30:00' as timestamp), cast('2026-11-01 04:30:00' as timestamp), cast('2026-11-01 04:30:00' as timestamp)
    union all
    select cast('2026-11-01 12:59:59' as timestamp), cast('2026-11-01 17:59:59' as timestamp), cast('2026-11-01 17:30:00' as timestamp)

),

read as (

    select
        given.*,
        {{ utc_of_local('shown') }} as found_at,
        {{ half_hour_of('expected_at') }} as found_half_hour
    from given

)

select *
from read
where
    found_at is distinct from expected_at
    or found_half_hour is distinct from expected_half_hour
