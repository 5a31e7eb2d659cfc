with

inboxes as (

    select * from {{ ref('stg_warbyparker_gladly__inboxes') }}

)

select * from inboxes
