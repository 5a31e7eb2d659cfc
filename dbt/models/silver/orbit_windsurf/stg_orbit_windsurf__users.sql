with

source as (

    {{ union_instances('windsurf', 'users', ['email', 'api_key'], client='orbit') }}

),

users as (

    select
        {{ hash_pii('api_key') }} as api_key_hash,
        {{ engineer_id('email') }} as engineer_id,
        {{ engineer_login_id('email') }} as engineer_login_id
    from source

)

select * from users
