with

source as (

    select * from {{ source('warbyparker_sprout_social', 'messages') }}

),

parsed as (

    select
        source.*,
        {{ hash_pii(json_text(json_or_null('from_'), ['guid'])) }} as author_hash,
        {{ json_or_null('internal') }} as internal_json
    from source

),

messages as (

    select
        {{ text_or_null('guid') }} as message_id,
        {{ text_or_null('customer_profile_id') }} as profile_id,
        {{ text_or_null('network') }} as network,
        {{ utc_or_null('created_time') }} as created_at,
        {{ text_or_null('post_category') }} as post_category,
        {{ text_or_null('post_type') }} as post_type,
        {{ text_or_null('language_code') }} as language_code,
        {{ text_or_null('case_id') }} as case_id,
        author_hash,
        coalesce(author_hash = {{ hash_pii('profile_guid') }}, false) as is_sent,
        {{ json_text('internal_json', ['sent_by', 'id']) }} as sent_by_user_id
    from parsed

)

select * from messages
