with

metrics as (

    select * from {{ ref('fct_ai_telemetry__tool_daily_metrics') }}

),

engineer_weeks as (

    select
        {{ iso_week_start('date_day') }} as week_start_date,
        engineer_id,
        cast(count(distinct tool) as bigint) as tool_count,
        cast(sum(reported_tokens) as bigint) as reported_tokens,
        cast(sum(estimated_tokens) as bigint) as estimated_tokens,
        cast(sum(tokens) as bigint) as tokens,
        max(case when tokens_are_estimated then 1 else 0 end) = 1 as tokens_are_estimated
    from metrics
    where
        tokens is not null
        -- What belongs to nobody would be one engineer with everybody's tokens.
        and engineer_id != '{{ var("unattributed") }}'
    group by {{ iso_week_start('date_day') }}, engineer_id

),

weeks as (

    select
        week_start_date,
        cast(count(*) as bigint) as engineer_count,
        cast({{ percentile_cont('tokens', 0.5) }} as double precision) as p50_tokens,
        cast({{ percentile_cont('tokens', 0.75) }} as double precision) as p75_tokens,
        cast({{ percentile_cont('tokens', 0.95) }} as double precision) as p95_tokens
    from engineer_weeks
    group by week_start_date

),

placed as (

    select
        {{ surrogate_key(['engineer_weeks.week_start_date', 'engineer_weeks.engineer_id']) }} as engineer_week_id,
        engineer_weeks.week_start_date,
        engineer_weeks.engineer_id,
        engineer_weeks.tool_count,
        engineer_weeks.reported_tokens,
        engineer_weeks.estimated_tokens,
        engineer_weeks.tokens,
        engineer_weeks.tokens_are_estimated,
        weeks.engineer_count,
        weeks.p50_tokens,
        weeks.p75_tokens,
        weeks.p95_tokens
    from engineer_weeks
    inner join weeks on engineer_weeks.week_start_date = weeks.week_start_date

)

select * from placed
