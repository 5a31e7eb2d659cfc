{# The value below which a share of a group's rows lies, read between two rows where it falls between them; NULLs do not count. #}
{% macro percentile_cont(column, share) -%}
    {{ return(adapter.dispatch('percentile_cont')(column, share)) }}
{%- endmacro %}

{# As in standard SQL: PostgreSQL and Snowflake. #}
{% macro default__percentile_cont(column, share) -%}
    percentile_cont({{ share }}) within group (order by cast({{ column }} as double precision))
{%- endmacro %}

{% macro duckdb__percentile_cont(column, share) -%}
    quantile_cont(cast({{ column }} as double precision), {{ share }})
{%- endmacro %}
