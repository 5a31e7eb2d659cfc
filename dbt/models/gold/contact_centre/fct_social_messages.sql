with

messages as (

    select * from {{ ref('stg_warbyparker_sprout_social__messages') }}

),

replies as (

    select
        case_id,
        created_at
    from messages
    where
        is_sent
        and case_id is not null

),

-- Sprout does not say which message a reply answers: the case that both belong to does.
answered as (

    select
        messages.message_id,
        min(replies.created_at) as answered_at
    from messages
    inner join replies
        on
            messages.case_id = replies.case_id
            and replies.created_at >= messages.created_at
    where not messages.is_sent
    group by messages.message_id

),

social_messages as (

    select
        messages.message_id,
        messages.profile_id,
        messages.network,
        messages.created_at,
        {{ local_date('messages.created_at') }} as created_date,
        case when messages.is_sent then 'SENT' else 'RECEIVED' end as direction,
        messages.post_type,
        messages.language_code,
        messages.case_id,
        messages.author_hash,
        messages.sent_by_user_id,
        case
            when not messages.is_sent and messages.case_id is not null then answered.answered_at is not null
        end as is_answered,
        answered.answered_at,
        {{ seconds_between('messages.created_at', 'answered.answered_at') }} as response_seconds
    from messages
    left join answered on messages.message_id = answered.message_id

)

select * from social_messages
