{# An exact decimal number, for money; NULL where the text is none. Ten decimals: Anthropic writes millionths of a cent. #}
{% macro decimal_or_null(column) -%}
    {{ return(adapter.dispatch('decimal_or_null')(column)) }}
{%- endmacro %}

{% macro default__decimal_or_null(column) -%}
    try_cast({{ column }} as decimal(24, 10))
{%- endmacro %}

{# Snowflake's try_cast reads no exponents. #}
{% macro snowflake__decimal_or_null(column) -%}
    cast(try_to_double({{ column }}) as decimal(24, 10))
{%- endmacro %}

{# The outer cast keeps the ten decimals in the type of a view's column, which a CASE forgets. #}
{% macro postgres__decimal_or_null(column) -%}
    cast(
        case
            when {{ column }} ~ '^\s*[+-]?(\d{1,13}(\.\d*)?|\.\d+)([eE]-\d{1,2})?\s*$' then cast({{ column }} as decimal(24, 10))
        end
        as decimal(24, 10)
    )
{%- endmacro %}
