with

source as (

    select * from {{ source('warbyparker_google_sheets', 'agent_roster') }}

),

hashed as (

    select
        source.*,
        {{ hash_pii('e_mail') }} as agent_email_hash
    from source
    where {{ text_or_null('e_mail') }} is not null

),

-- One address may be typed in two ways at a time: `historical` takes them for two people.
numbered as (

    select
        hashed.*,
        row_number() over (
            partition by agent_email_hash
            order by _valid_from, _is_current, _loaded_at, team, role, hired_on
        ) as version_number,
        row_number() over (
            partition by agent_email_hash
            order by _is_current desc, _valid_from desc, _loaded_at desc, team desc, role desc, hired_on desc
        ) as newest
    from hashed

),

agent_roster as (

    select
        {{ surrogate_key(['agent_email_hash', 'version_number']) }} as roster_version_id,
        agent_email_hash,
        version_number,
        {{ hash_pii('name') }} as agent_name_hash,
        {{ text_or_null('team') }} as team_name,
        {{ text_or_null('role') }} as agent_role,
        {{ date_or_null('hired_on') }} as hired_date,
        {{ number_or_null('fte') }} as fte,
        {{ boolean_or_null('active') }} as is_active,
        _valid_from as valid_from,
        _valid_to as valid_to,
        _is_current and newest = 1 as is_current
    from numbered

)

select * from agent_roster
