{#
    A query of one row per column of a bronze table: how many of its values are there, and how many of them a cast made
    NULL. `casts` gives the macro that reads each column.
#}
{% macro count_unreadable(source_name, table, casts) -%}
    {%- for column, cast_macro in casts.items() %}
    select
        '{{ source_name }}' as source_name,
        '{{ table }}' as table_name,
        '{{ column }}' as column_name,
        cast(count({{ text_or_null(column) }}) as bigint) as value_count,
        cast(
            coalesce(sum(case when {{ text_or_null(column) }} is not null and ({{ cast_macro(column) }}) is null then 1 else 0 end), 0)
            as bigint
        ) as unreadable_count
    from {{ source_or_empty(source_name, table, casts.keys() | list) }} as {{ table }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
