{# Read by four models, so built once. A tool of its own is a line in `ai_tools`; one that a pipeline file feeds is none. #}
{{ config(materialized='table') }}

{%- set names = ['int_orbit__fed_ai_tool_days_summed'] -%}
{%- for tool in var('ai_tools') -%}
    {%- do names.append('int_orbit_' ~ tool ~ '__days_summed') -%}
{%- endfor %}

with

tool_days as (

    {% for model in built_models(names) -%}
    select * from {{ model }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

),

estimated as (

    select
        tool_days.*,
        {{ estimated_tokens() }} as estimated_tokens
    from tool_days

),

metrics as (

    select
        tool_day_id,
        tool,
        engineer_id,
        date_day,
        request_count,
        accepted_suggestion_count,
        accepted_line_count,
        reported_tokens,
        cast(estimated_tokens as bigint) as estimated_tokens,
        case
            when coalesce(reported_tokens, estimated_tokens) is not null
                then cast(coalesce(reported_tokens, 0) + coalesce(estimated_tokens, 0) as bigint)
        end as tokens,
        coalesce(estimated_tokens, 0) > 0 as tokens_are_estimated,
        cost_usd,
        loaded_at
    from estimated

)

select * from metrics
