with

source as (

    select * from {{ source('warbyparker_gladly', 'conversations') }}

),

conversations as (

    select
        {{ text_or_null('conversation_id') }} as conversation_id,
        {{ text_or_null('customer_id') }} as customer_id,
        {{ text_or_null('conversation_link') }} as conversation_link,
        upper({{ text_or_null('status') }}) as status,
        {{ utc_or_null('created_at') }} as created_at,
        {{ utc_or_null('first_closed_at') }} as first_closed_at,
        {{ utc_or_null('last_closed_at') }} as last_closed_at,
        {{ text_or_null('inbox_id_current') }} as current_inbox_id,
        {{ text_or_null('assigned_agent_id_current') }} as current_agent_id,
        upper({{ text_or_null('initiator_type_created') }}) as initiator_type,
        {{ text_or_null('first_contact_id') }} as first_contact_id,
        {{ text_or_null('first_channel') }} as first_channel,
        {{ text_or_null('last_channel') }} as last_channel,
        {{ text_or_null('topics_with_hierarchy') }} as topic_paths,
        {{ integer_or_null('count_of_contacts') }} as contact_count,
        {{ integer_or_null('count_of_agents') }} as agent_count,
        {{ integer_or_null('count_of_inboxes_assigned') }} as inbox_count,
        {{ integer_or_null('times_closed') }} as close_count,
        {{ integer_or_null('times_reopened') }} as reopen_count
    from source

)

select * from conversations
