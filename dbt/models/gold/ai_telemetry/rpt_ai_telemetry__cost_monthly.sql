with

metrics as (

    select * from {{ ref('fct_ai_telemetry__tool_daily_metrics') }}

),

months as (

    select
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start_date,
        tool,
        cast(
            count(distinct case when engineer_id != '{{ var("unattributed") }}' then engineer_id end) as bigint
        ) as engineer_count,
        cast(sum(request_count) as bigint) as request_count,
        cast(sum(tokens) as bigint) as tokens,
        max(case when tokens_are_estimated then 1 else 0 end) = 1 as tokens_are_estimated,
        cast(sum(cost_usd) as decimal(18, 8)) as cost_usd,
        cast(
            sum(case when engineer_id = '{{ var("unattributed") }}' then cost_usd end) as decimal(18, 8)
        ) as unattributed_cost_usd
    from metrics
    group by cast({{ dbt.date_trunc('month', 'date_day') }} as date), tool

),

keyed as (

    select
        {{ surrogate_key(['month_start_date', 'tool']) }} as tool_month_id,
        months.*
    from months

)

select * from keyed
