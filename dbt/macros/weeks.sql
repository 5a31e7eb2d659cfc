{# The Monday of the week that a day lies in, whatever day the session's weeks begin with. #}
{% macro iso_week_start(column) -%}
    {{ return(adapter.dispatch('iso_week_start')(column)) }}
{%- endmacro %}

{% macro default__iso_week_start(column) -%}
    cast(date_trunc('week', {{ column }}) as date)
{%- endmacro %}

{% macro snowflake__iso_week_start(column) -%}
    cast(dateadd(day, 1 - dayofweekiso({{ column }}), {{ column }}) as date)
{%- endmacro %}
