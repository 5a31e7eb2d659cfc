with

source as (

    select * from {{ source('warbyparker_gladly', 'contacts') }}

),

contacts as (

    select
        {{ text_or_null('contact_id') }} as contact_id,
        {{ text_or_null('conversation_id') }} as conversation_id,
        {{ text_or_null('customer_id') }} as customer_id,
        {{ utc_or_null('queued_at') }} as queued_at,
        {{ text_or_null('channel') }} as channel,
        upper({{ text_or_null('direction') }}) as direction,
        upper({{ text_or_null('contact_initiator') }}) as initiator_type,
        {{ text_or_null('entry_point') }} as entry_point,
        {{ text_or_null('final_ivr_selection') }} as final_ivr_selection,
        {{ text_or_null('link') }} as conversation_link
    from source

)

select * from contacts
