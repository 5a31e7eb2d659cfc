{# Who uses an AI tool, by e-mail address: one id in all of the tools that know people by it. #}
{% macro engineer_id(email) -%}
    {{ hash_pii(email) }}
{%- endmacro %}


{#
    The same by the name that GitHub gives: organisations that make accounts from addresses take the local part, and
    GitHub allows no dot in a name, so `ann.abara@...` is `ann-abara`. `int_ai_engineers_mapped` leads from it to the id.
#}
{% macro engineer_login_id(email) -%}
    {{ hash_pii("replace(split_part(" ~ email ~ ", '@', 1), '.', '-')") }}
{%- endmacro %}


{#
    An amount in US dollars, exact to a millionth of a cent. Units: `dollars`, `cents`, and `credit_hundredths` of
    Windsurf, at the price of the variable `windsurf_credit_usd`.
#}
{% macro usd_of(amount, unit) -%}
    {%- set factors = {'dollars': 1, 'cents': '0.01', 'credit_hundredths': '0.01 * ' ~ var('windsurf_credit_usd')} -%}
    {%- if unit not in factors -%}
        {{ exceptions.raise_compiler_error("No price is known of a cost in " ~ unit ~ "; known are " ~ factors | join(", ") ~ ".") }}
    {%- endif -%}
    cast(cast({{ amount }} as decimal(24, 10)) * {{ factors[unit] }} as decimal(18, 8))
{%- endmacro %}


{#
    A person's days with a tool, from rows of parts of days.

    Args:
        tool: The tool; none where `parts` has it in a column of that name.
        parts: A CTE with `engineer_id`, `date_day`, `loaded_at` and the measures.
        measures: Which of the measures it has. The others are NULL: the tool does not tell them.
#}
{% macro ai_tool_days(tool, parts, measures) -%}
    {%- set counts = [
        'request_count',
        'accepted_suggestion_count',
        'accepted_line_count',
        'reported_tokens',
        'unmeasured_request_count',
        'unmeasured_suggestion_count',
        'unmeasured_line_count',
    ] -%}
    {%- set who = "coalesce(engineer_id, '" ~ var('unattributed') ~ "')" -%}
    {%- set which = "'" ~ tool ~ "'" if tool else 'tool' -%}
    select
        {{ surrogate_key([which, who, 'date_day']) }} as tool_day_id,
        {{ which }} as tool,
        {{ who }} as engineer_id,
        date_day,
        {%- for count in counts %}
        {{ 'cast(sum(' ~ count ~ ') as bigint)' if count in measures else 'cast(null as bigint)' }} as {{ count }},
        {%- endfor %}
        {{ 'cast(sum(cost_usd) as decimal(18, 8))' if 'cost_usd' in measures else 'cast(null as decimal(18, 8))' }} as cost_usd,
        max(loaded_at) as loaded_at
    from {{ parts }}
    where date_day is not null
    group by {{ '' if tool else 'tool, ' }}{{ who }}, date_day
{%- endmacro %}


{#
    Tokens of what a tool counts without measuring its tokens; NULL where there is nothing of the kind. The constants are
    the variable `estimated_tokens_per`.
#}
{% macro estimated_tokens() -%}
    {%- set tokens_per = var('estimated_tokens_per') -%}
    case
        when coalesce(unmeasured_request_count, unmeasured_suggestion_count, unmeasured_line_count) is not null
            then
                coalesce(unmeasured_request_count, 0) * {{ tokens_per['request'] }}
                + coalesce(unmeasured_suggestion_count, 0) * {{ tokens_per['suggestion'] }}
                + coalesce(unmeasured_line_count, 0) * {{ tokens_per['accepted_line'] }}
    end
{%- endmacro %}


{#
    Costs shared out by tokens, for vendors that bill by workspace or project and name people only in usage.

    Args:
        costs: A CTE with `amount` and the columns to share by, one row per bill's line.
        usages: A CTE with `engineer_id`, `tokens`, `loaded_at` and the same columns.
        keys: The columns: a cost is shared by the tokens of the same values. One of them is `date_day`.

    Gives `engineer_id`, `date_day`, `amount` and `loaded_at`. What nobody's tokens belong to has no engineer.
#}
{% macro shared_costs(costs, usages, keys) -%}
    {%- set matches = [] -%}
    {%- for key in keys -%}
        {%- do matches.append("coalesce(cast(billed." ~ key ~ " as " ~ dbt.type_string() ~ "), '') = coalesce(cast(used." ~ key ~ " as " ~ dbt.type_string() ~ "), '')") -%}
    {%- endfor -%}
    select
        used.engineer_id,
        billed.date_day,
        case
            when used.tokens is null then billed.amount
            else cast(cast(billed.amount as double precision) * used.tokens / used.all_tokens as decimal(24, 10))
        end as amount,
        greatest(billed.loaded_at, coalesce(used.loaded_at, billed.loaded_at)) as loaded_at
    from (
        select
            {{ keys | join(', ') }},
            cast(sum(amount) as decimal(24, 10)) as amount,
            max(loaded_at) as loaded_at
        from {{ costs }}
        group by {{ keys | join(', ') }}
    ) as billed
    left join (
        select
            {{ keys | join(', ') }},
            engineer_id,
            sum(tokens) as tokens,
            sum(sum(tokens)) over (partition by {{ keys | join(', ') }}) as all_tokens,
            max(loaded_at) as loaded_at
        from {{ usages }}
        where tokens > 0
        group by {{ keys | join(', ') }}, engineer_id
    ) as used on {{ matches | join(' and ') }}
{%- endmacro %}
