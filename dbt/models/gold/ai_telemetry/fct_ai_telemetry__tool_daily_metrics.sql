{#
    Vendors correct days that are over, and a window that is loaded again may take rows away: what silver no longer has
    leaves here first. Then come the days that were loaded since `ai_telemetry_lookback_days` before the newest load that
    is known here, whatever time they are about, and what is not here at all.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='tool_day_id',
        on_schema_change='fail',
        pre_hook="{{ forget_missing_rows('int_ai_tool_daily_metrics', 'tool_day_id') }}",
    )
}}

with

metrics as (

    select * from {{ ref('int_ai_tool_daily_metrics') }}

),

new_metrics as (

    select
        tool_day_id,
        tool,
        engineer_id,
        date_day,
        request_count,
        accepted_suggestion_count,
        accepted_line_count,
        reported_tokens,
        estimated_tokens,
        tokens,
        tokens_are_estimated,
        cost_usd,
        loaded_at
    from metrics
    {% if is_incremental() %}
    where
        loaded_at >= (
            select {{ dbt.dateadd('day', -var('ai_telemetry_lookback_days'), 'max(loaded_at)') }}
            from {{ this }}
        )
        or not exists (
            select 1
            from {{ this }} as known
            where known.tool_day_id = metrics.tool_day_id
        )
    {% endif %}

)

select * from new_metrics
