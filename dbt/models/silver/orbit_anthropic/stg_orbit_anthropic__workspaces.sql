with

source as (

    {{ union_instances('anthropic', 'workspaces', ['id', 'name'], client='orbit') }}

),

workspaces as (

    select
        {{ text_or_null('id') }} as workspace_id,
        {{ text_or_null('name') }} as workspace_name
    from source

)

select * from workspaces
