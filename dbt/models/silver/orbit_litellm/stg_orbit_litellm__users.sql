with

source as (

    {{ union_instances('litellm', 'users', ['user_id', 'user_email'], client='orbit') }}

),

users as (

    select
        -- Names are chosen by people: often theirs, or the front of the address.
        {{ hash_pii('user_id') }} as user_id,
        {{ engineer_id('user_email') }} as engineer_id,
        {{ engineer_login_id('user_email') }} as engineer_login_id
    from source

)

select * from users
