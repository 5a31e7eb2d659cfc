{# The first of a network's names for a metric that Sprout gave, as a whole number; NULL where it gave none of them. #}
{% macro social_metric(json, names) -%}
    {%- set found = [] -%}
    {%- for name in names -%}
        {%- do found.append(integer_or_null(json_named(json, name))) -%}
    {%- endfor -%}
    {{ found[0] if found | length == 1 else 'coalesce(' ~ found | join(', ') ~ ')' }}
{%- endmacro %}


{# A value of parsed JSON by a name that may hold dots, as Sprout's metrics do, as text. #}
{% macro json_named(json, name) -%}
    {{ return(adapter.dispatch('json_named')(json, name)) }}
{%- endmacro %}

{% macro default__json_named(json, name) -%}
    {{ json_text(json, [name]) }}
{%- endmacro %}

{% macro snowflake__json_named(json, name) -%}
    cast({{ json }}['{{ name }}'] as varchar)
{%- endmacro %}
