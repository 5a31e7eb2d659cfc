with

source as (

    {{ union_instances('openai', 'users', ['id', 'email'], client='orbit') }}

),

users as (

    select
        {{ text_or_null('id') }} as user_id,
        {{ engineer_id('email') }} as engineer_id,
        {{ engineer_login_id('email') }} as engineer_login_id
    from source

)

select * from users
