{# A number of any size as a double; NULL where the text is none. #}
{% macro number_or_null(column) -%}
    {{ return(adapter.dispatch('number_or_null')(column)) }}
{%- endmacro %}

{% macro default__number_or_null(column) -%}
    try_cast({{ column }} as double precision)
{%- endmacro %}

{% macro snowflake__number_or_null(column) -%}
    try_to_double({{ column }})
{%- endmacro %}

{% macro postgres__number_or_null(column) -%}
    case
        when {{ column }} ~ '^\s*[+-]?(\d{1,17}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?\s*$' then cast({{ column }} as double precision)
    end
{%- endmacro %}
