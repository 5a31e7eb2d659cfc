with

source as (

    select * from {{ source('warbyparker_s3_files', 'staffing_plan') }}

),

hashed as (

    select
        source.*,
        {{ hash_pii('e_mail') }} as agent_email_hash
    from source

),

ranked as (

    select
        hashed.*,
        row_number() over (
            partition by agent_email_hash, shift_date, start_
            order by _window_start desc, _source_file desc, _loaded_at desc
        ) as newest
    from hashed

),

-- Read as if clocks there showed UTC: a day and a time without a zone.
clocked as (

    select
        ranked.*,
        {{ utc_or_null("shift_date || 'T' || start_") }} as local_start_at,
        {{ utc_or_null("shift_date || 'T' || end_") }} as same_day_end_at
    from ranked
    where newest = 1

),

ended as (

    select
        clocked.*,
        case
            when same_day_end_at > local_start_at then same_day_end_at
            else {{ dbt.dateadd('day', 1, 'same_day_end_at') }}
        end as local_end_at
    from clocked

),

staffing_shifts as (

    select
        {{ surrogate_key(['agent_email_hash', 'shift_date', 'start_']) }} as shift_id,
        agent_email_hash,
        {{ text_or_null('team') }} as team_name,
        {{ date_or_null('shift_date') }} as shift_date,
        {{ utc_of_local('local_start_at') }} as starts_at,
        {{ utc_of_local('local_end_at') }} as ends_at,
        {{ integer_or_null('break_min') }} as break_minutes,
        {{ number_or_null('paid_hours') }} as paid_hours
    from ended

)

select * from staffing_shifts
