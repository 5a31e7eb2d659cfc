{{ config(group='contact_centre', tags=['macros']) }}

-- A whole number is digits with a sign at most, of a size that every warehouse has.
with

given as (

    select cast('7' as {{ dbt.type_string() }}) as value, cast(7 as bigint) as expected
    union all
    select ' +7 ', cast(7 as bigint)
    union all
    select '-7', cast(-7 as bigint)
    union all
    select '007', cast(7 as bigint)
    union all
    select '999999999999999999', cast(999999999999999999 as bigint)
    union all
    select '9999999999999999999', cast(null as bigint)
    union all
    select '1.5', cast(null as bigint)
    union all
    select '1_000', cast(null as bigint)
    union all
    select '1e3', cast(null as bigint)
    union all
    select '0x1F', cast(null as bigint)
    union all
    select 'many', cast(null as bigint)
    union all
    select '', cast(null as bigint)
    union all
    select cast(null as {{ dbt.type_string() }}), cast(null as bigint)

),

read as (

    select
        value,
        expected,
        {{ integer_or_null('value') }} as found
    from given

)

select *
from read
where found is distinct from expected
