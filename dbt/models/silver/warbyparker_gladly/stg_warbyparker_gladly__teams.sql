with

source as (

    select * from {{ source('warbyparker_gladly', 'teams') }}

),

teams as (

    select
        {{ text_or_null('id') }} as team_id,
        {{ text_or_null('name') }} as team_name
    from source

)

select * from teams
