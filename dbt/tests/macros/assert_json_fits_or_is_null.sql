{{ config(group='contact_centre', tags=['macros']) }}

-- Whether a text is an object or a list; read back as the text of a member.
with

given as (

    select cast('{"a": "x", "b": [1]}' as {{ dbt.type_string() }}) as value, cast('x' as {{ dbt.type_string() }}) as expected
    union all
    select '{"a": null}', cast(null as {{ dbt.type_string() }})
    union all
    select '{"b": 1}', cast(null as {{ dbt.type_string() }})
    union all
    select '[]', cast(null as {{ dbt.type_string() }})
    union all
    select 'plain', cast(null as {{ dbt.type_string() }})
    union all
    select '', cast(null as {{ dbt.type_string() }})
    union all
    select cast(null as {{ dbt.type_string() }}), cast(null as {{ dbt.type_string() }})

),

read as (

    select
        value,
        expected,
        {{ json_text(json_or_null('value'), ['a']) }} as found
    from given

)

select *
from read
where found is distinct from expected
