{{ config(group='contact_centre', tags=['macros']) }}

-- What is no number is NULL.
with

given as (

    select cast('7' as {{ dbt.type_string() }}) as value, cast(7 as double precision) as expected
    union all
    select ' -0.5 ', cast(-0.5 as double precision)
    union all
    select '.5', cast(0.5 as double precision)
    union all
    select '1e3', cast(1000 as double precision)
    union all
    select '1,5', cast(null as double precision)
    union all
    select 'n/a', cast(null as double precision)
    union all
    select '#REF!', cast(null as double precision)
    union all
    select '', cast(null as double precision)
    union all
    select cast(null as {{ dbt.type_string() }}), cast(null as double precision)

),

read as (

    select
        value,
        expected,
        {{ number_or_null('value') }} as found
    from given

)

select *
from read
where found is distinct from expected
