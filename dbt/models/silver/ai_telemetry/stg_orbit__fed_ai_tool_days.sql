{#
    Datasets that a pipeline file feeds in (`feeds: {model: ai_tool_daily, ...}`): another tool needs no model of its own.
    One that was not loaded yet has no table.
#}
{%- set found = [] -%}
{%- for feed in penstock_feeds('ai_tool_daily', client='orbit') -%}
    {%- set relation = source(feed.source, feed.table) -%}
    {%- if is_built(relation) -%}
        {%- do found.append([feed, relation]) -%}
    {%- endif -%}
{%- endfor -%}

with

fed as (

    {% for feed, relation in found -%}
    select
        '{{ feed.tool }}' as tool,
        cast({{ utc_or_null(feed.day) }} as date) as usage_date,
        {{ engineer_id(feed.engineer) }} as engineer_id,
        {{ engineer_login_id(feed.engineer) }} as engineer_login_id,
        {%- for measure in ['requests', 'accepted_suggestions', 'accepted_lines', 'tokens'] %}
        {{ integer_or_null(feed[measure]) if feed[measure] else 'cast(null as bigint)' }} as {{ measure }},
        {%- endfor %}
        {%- for measure in ['requests', 'accepted_lines'] %}
        {{ integer_or_null(feed[measure]) if feed[measure] and not feed.tokens else 'cast(null as bigint)' }} as unmeasured_{{ measure }},
        {%- endfor %}
        {{ usd_of(decimal_or_null(feed.cost), feed.cost_unit) if feed.cost else 'cast(null as decimal(18, 8))' }} as cost_usd,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from {{ relation }}

    union all

    {% endfor -%}
    -- No row, so that the columns are there without any feed.
    select
        cast(null as {{ dbt.type_string() }}) as tool,
        cast(null as date) as usage_date,
        cast(null as {{ dbt.type_string() }}) as engineer_id,
        cast(null as {{ dbt.type_string() }}) as engineer_login_id,
        cast(null as bigint) as requests,
        cast(null as bigint) as accepted_suggestions,
        cast(null as bigint) as accepted_lines,
        cast(null as bigint) as tokens,
        cast(null as bigint) as unmeasured_requests,
        cast(null as bigint) as unmeasured_accepted_lines,
        cast(null as decimal(18, 8)) as cost_usd,
        cast(null as timestamp) as loaded_at
    where 1 = 0

),

-- Rows of one person and day add up.
days as (

    select
        {{ surrogate_key(['tool', 'engineer_id', 'usage_date']) }} as fed_day_id,
        tool,
        usage_date,
        engineer_id,
        min(engineer_login_id) as engineer_login_id,
        {%- for measure in ['requests', 'accepted_suggestions', 'accepted_lines', 'tokens', 'unmeasured_requests', 'unmeasured_accepted_lines'] %}
        cast(sum({{ measure }}) as bigint) as {{ measure }},
        {%- endfor %}
        cast(sum(cost_usd) as decimal(18, 8)) as cost_usd,
        max(loaded_at) as loaded_at
    from fed
    group by tool, usage_date, engineer_id

)

select * from days
