{#
    A query of one row per column of a bronze table: how many of its values are there, and how many of them a cast made
    NULL. `casts` gives the macro that reads each column, `condition` which rows count.
#}
{% macro count_unreadable(relation, table, casts, condition='1 = 1') -%}
    {%- set types = {} -%}
    {%- for column in casts -%}
        {%- do types.update({column: dbt.type_string()}) -%}
    {%- endfor -%}
    {%- for column, cast_macro in casts.items() %}
    select
        '{{ table }}' as table_name,
        '{{ column }}' as column_name,
        cast(count({{ text_or_null(column) }}) as bigint) as value_count,
        cast(
            coalesce(sum(case when {{ text_or_null(column) }} is not null and ({{ cast_macro(column) }}) is null then 1 else 0 end), 0)
            as bigint
        ) as unreadable_count
    from {{ existing_or_empty(relation, types) }} as {{ table }}
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
