{{ config(group='contact_centre', tags=['macros']) }}

-- Milliseconds since the epoch, of the years that clocks have; a number of another size is no moment.
with

given as (

    select cast(1793646021783 as bigint) as milliseconds, cast('2026-11-02 19:00:21.783' as timestamp) as expected
    union all
    select cast(0 as bigint), cast('1970-01-01 00:00:00' as timestamp)
    union all
    select cast(-1 as bigint), cast(null as timestamp)
    union all
    select cast(999999999999999999 as bigint), cast(null as timestamp)
    union all
    select cast(null as bigint), cast(null as timestamp)

),

read as (

    select
        milliseconds,
        expected,
        {{ utc_of_milliseconds('milliseconds') }} as found
    from given

)

select *
from read
where found is distinct from expected
