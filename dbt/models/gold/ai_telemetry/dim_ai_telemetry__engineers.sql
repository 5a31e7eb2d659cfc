with

metrics as (

    select * from {{ ref('int_ai_tool_daily_metrics') }}

),

engineers as (

    select
        engineer_id,
        engineer_id != '{{ var("unattributed") }}' as is_known,
        min(date_day) as first_active_date,
        max(date_day) as last_active_date,
        cast(count(distinct tool) as bigint) as tool_count,
        cast(count(distinct date_day) as bigint) as active_day_count
    from metrics
    group by engineer_id

)

select * from engineers
