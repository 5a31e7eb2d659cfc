{#
    How an incremental model with a `unique_key` puts rows in place of older ones: by MERGE on Snowflake, which writes a
    partition once, else by deleting and inserting, which every version of DuckDB and PostgreSQL can do.
#}
{% macro replacing_strategy() -%}
    {{ return(adapter.dispatch('replacing_strategy')()) }}
{%- endmacro %}

{% macro default__replacing_strategy() -%}
    {{ return('delete+insert') }}
{%- endmacro %}

{% macro snowflake__replacing_strategy() -%}
    {{ return('merge') }}
{%- endmacro %}
