with

source as (

    select * from {{ source('warbyparker_gmail', 'messages') }}

),

messages as (

    select
        {{ surrogate_key(['mailbox', 'id']) }} as mailbox_message_id,
        {{ text_or_null('mailbox') }} as mailbox,
        {{ text_or_null('id') }} as message_id,
        {{ text_or_null('thread_id') }} as thread_id,
        {{ utc_of_milliseconds(integer_or_null('internal_date')) }} as arrived_at,
        {{ integer_or_null('size_estimate') }} as size_bytes,
        {{ hash_pii('from_') }} as sender_hash,
        {{ text_or_null('label_ids') }} like '%"UNREAD"%' as is_unread,
        {{ text_or_null('label_ids') }} like '%"SPAM"%' as is_spam
    from source

)

select * from messages
