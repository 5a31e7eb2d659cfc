{{ config(group='contact_centre') }}

-- Every second of a contact is waiting or in an agent's hands, once. Gives the contacts for which that does not hold.
with

contacts as (

    select * from {{ ref('int_contacts_timed') }}

)

select
    contact_id,
    started_at,
    ended_at,
    wait_seconds,
    transfer_wait_seconds,
    handle_seconds
from contacts
where
    started_at is not null
    and ended_at is not null
    and coalesce(wait_seconds, 0) + coalesce(transfer_wait_seconds, 0) + coalesce(handle_seconds, 0)
    <> {{ seconds_between('started_at', 'ended_at') }}
