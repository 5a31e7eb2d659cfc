with

agents as (

    select * from {{ ref('stg_warbyparker_gladly__agents') }}

)

select * from agents
