{#
    Rewriting every event each day would cost most of gold's writes. Bronze replaces a window's rows as a whole, under a
    new batch: what left bronze leaves here first, then what is missing is added, so any number of runs gives the table
    that one full refresh gives.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        pre_hook="{{ forget_replaced_batches('stg_warbyparker_gladly__contact_events') }}",
    )
}}

with

contact_events as (

    select * from {{ ref('stg_warbyparker_gladly__contact_events') }}

),

new_events as (

    select
        event_id,
        contact_id,
        conversation_id,
        customer_id,
        event_type,
        channel,
        occurred_at,
        {{ local_date('occurred_at') }} as occurred_date,
        initiator_type,
        initiator_id,
        case when initiator_type = 'AGENT' then initiator_id else assigned_agent_id end as agent_id,
        assigned_inbox_id as inbox_id,
        batch_id
    from contact_events
    where
        contact_id is not null
        and occurred_at is not null
    {% if is_incremental() %}
        and not exists (
            select 1
            from {{ this }} as loaded
            where loaded.event_id = contact_events.event_id
        )
    {% endif %}

)

select * from new_events
