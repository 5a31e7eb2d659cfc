{{ config(group='contact_centre', tags=['macros']) }}

-- By zero and by nothing is NULL; whole numbers divide into shares.
with

given as (

    select cast(1 as bigint) as numerator, cast(2 as bigint) as denominator, cast(0.5 as double precision) as expected
    union all
    select cast(2 as bigint), cast(-4 as bigint), cast(-0.5 as double precision)
    union all
    select cast(0 as bigint), cast(3 as bigint), cast(0.0 as double precision)
    union all
    select cast(1 as bigint), cast(0 as bigint), cast(null as double precision)
    union all
    select cast(0 as bigint), cast(0 as bigint), cast(null as double precision)
    union all
    select cast(1 as bigint), cast(null as bigint), cast(null as double precision)
    union all
    select cast(null as bigint), cast(1 as bigint), cast(null as double precision)

),

divided as (

    select
        given.*,
        {{ safe_divide('numerator', 'denominator') }} as found
    from given

)

select *
from divided
where found is distinct from expected
