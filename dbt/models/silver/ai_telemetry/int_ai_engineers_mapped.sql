-- Tools that know people by e-mail address say which login an address gives.
with

identities as (

    {% for model in built_models([
        'stg_orbit__fed_ai_tool_days',
        'stg_orbit_anthropic__claude_code_days',
        'stg_orbit_anthropic__users',
        'stg_orbit_cursor__usage_days',
        'stg_orbit_litellm__users',
        'stg_orbit_openai__users',
        'stg_orbit_sourcegraph__user_days',
        'stg_orbit_windsurf__users',
    ]) -%}
    select
        engineer_login_id,
        engineer_id
    from {{ model }}

    union all

    {% endfor -%}
    -- No row, so that the columns are there before any of them is.
    select
        cast(null as {{ dbt.type_string() }}) as engineer_login_id,
        cast(null as {{ dbt.type_string() }}) as engineer_id
    where 1 = 0

),

-- Where two addresses give one login nobody can tell whose it is.
logins as (

    select
        engineer_login_id,
        min(engineer_id) as engineer_id
    from identities
    where engineer_login_id is not null
    group by engineer_login_id
    having count(distinct engineer_id) = 1

)

select * from logins
