{{ config(group='contact_centre', tags=['macros']) }}

-- Only the two words, whatever their case.
with

given as (

    select cast('true' as {{ dbt.type_string() }}) as value, cast(true as boolean) as expected
    union all
    select ' FALSE ', cast(false as boolean)
    union all
    select 'yes', cast(null as boolean)
    union all
    select '1', cast(null as boolean)
    union all
    select '', cast(null as boolean)
    union all
    select cast(null as {{ dbt.type_string() }}), cast(null as boolean)

),

read as (

    select
        value,
        expected,
        {{ boolean_or_null('value') }} as found
    from given

)

select *
from read
where found is distinct from expected
