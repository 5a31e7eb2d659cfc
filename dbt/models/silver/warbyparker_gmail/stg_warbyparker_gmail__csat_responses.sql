with

source as (

    select * from {{ source('warbyparker_gmail', 'csat_responses') }}

),

-- A message's id grows with the time of its arrival, and `_source_file` begins with it.
ranked as (

    select
        source.*,
        row_number() over (
            partition by response_id
            order by _window_start desc, _source_file desc, _loaded_at desc
        ) as newest,
        count(*) over (partition by response_id) as occurrence
    from source
    where {{ text_or_null('response_id') }} is not null

),

csat_responses as (

    select
        response_id,
        {{ text_or_null('conversation_id') }} as conversation_id,
        {{ hash_pii('agent_email') }} as agent_email_hash,
        {{ text_or_null('channel') }} as channel,
        case when {{ integer_or_null('score') }} between 1 and 5 then {{ integer_or_null('score') }} end as score,
        {{ utc_or_null('answered_at') }} as answered_at,
        occurrence > 1 as is_corrected
    from ranked
    where newest = 1

)

select * from csat_responses
