{#
    A query of one row per step from a first day until before an end, as `date_day`: days, weeks or months without a gap. The
    bounds are columns of a relation; each of its rows gives a spine, with the columns named in `keep`.
#}
{% macro date_spine(relation, first_day, end_day, datepart='day', keep=[]) -%}
    {{ return(adapter.dispatch('date_spine')(relation, first_day, end_day, datepart, keep)) }}
{%- endmacro %}

{% macro default__date_spine(relation, first_day, end_day, datepart, keep) -%}
    select
        {%- for column in keep %}
        {{ column }},
        {%- endfor %}
        cast(
            unnest(generate_series(
                cast({{ first_day }} as timestamp), cast({{ end_day }} as timestamp) - interval '1 day', interval '1 {{ datepart }}'
            )) as date
        ) as date_day
    from {{ relation }}
{%- endmacro %}

{% macro postgres__date_spine(relation, first_day, end_day, datepart, keep) -%}
    select
        {%- for column in keep %}
        {{ column }},
        {%- endfor %}
        cast(
            generate_series(
                cast({{ first_day }} as timestamp), cast({{ end_day }} as timestamp) - interval '1 day', interval '1 {{ datepart }}'
            ) as date
        ) as date_day
    from {{ relation }}
{%- endmacro %}

{# Snowflake counts the boundaries that lie between two days, so a last step may begin at or after the end. #}
{% macro snowflake__date_spine(relation, first_day, end_day, datepart, keep) -%}
    select *
    from (
        select
            {%- for column in keep %}
            bounds.{{ column }},
            {%- endfor %}
            bounds.end_day,
            cast(dateadd({{ datepart }}, cast(steps.value as integer), bounds.first_day) as date) as date_day
        from (
            select
                {%- for column in keep %}
                {{ column }},
                {%- endfor %}
                cast({{ first_day }} as date) as first_day,
                cast({{ end_day }} as date) as end_day,
                array_generate_range(0, greatest(datediff({{ datepart }}, {{ first_day }}, {{ end_day }}), 0) + 1) as step_numbers
            from {{ relation }}
        ) as bounds
        cross join lateral flatten(input => bounds.step_numbers) as steps
    ) as spine
    where date_day < end_day
{%- endmacro %}
