with

messages as (

    select * from {{ ref('stg_warbyparker_gmail__messages') }}

),

dated as (

    select
        messages.*,
        {{ local_date('arrived_at') }} as arrived_date
    from messages
    where arrived_at is not null

),

mailboxes_daily as (

    select
        {{ surrogate_key(['arrived_date', 'mailbox']) }} as mailbox_day_id,
        arrived_date as date_day,
        mailbox,
        cast(count(*) as bigint) as message_count,
        cast(count(distinct thread_id) as bigint) as thread_count,
        cast(count(distinct sender_hash) as bigint) as sender_count,
        cast(sum(case when is_unread then 1 else 0 end) as bigint) as unread_count,
        cast(sum(case when is_spam then 1 else 0 end) as bigint) as spam_count
    from dated
    group by
        arrived_date,
        mailbox

)

select * from mailboxes_daily
