with

source as (

    select * from {{ source('warbyparker_gladly', 'agents') }}

),

agents as (

    select
        {{ text_or_null('id') }} as agent_id,
        {{ hash_pii('name') }} as agent_name_hash,
        {{ hash_pii('email_address') }} as agent_email_hash
    from source

)

select * from agents
