{#
    Reading of bronze's JSON text: `json_or_null` parses a column once, `json_text` reads a value of what is parsed as
    text, and `json_rows` joins the elements of a list, each as parsed JSON in `<alias>.value`. A path is a list of names
    and of places from 0; the empty path is the value itself. What is missing, or null in JSON, is NULL.
#}

{% macro json_or_null(column) -%}
    {{ return(adapter.dispatch('json_or_null')(column)) }}
{%- endmacro %}

{% macro default__json_or_null(column) -%}
    try_cast({{ column }} as json)
{%- endmacro %}

{% macro snowflake__json_or_null(column) -%}
    try_parse_json({{ column }})
{%- endmacro %}

{# PostgreSQL 15 cannot ask whether a text is JSON. Bronze's lists and objects are what the load has parsed before. #}
{% macro postgres__json_or_null(column) -%}
    case when left(ltrim({{ column }}), 1) in ('{', '[') then cast({{ column }} as jsonb) end
{%- endmacro %}


{% macro json_text(json, path) -%}
    {{ return(adapter.dispatch('json_text')(json, path)) }}
{%- endmacro %}

{% macro default__json_text(json, path) -%}
    {%- set steps = [] -%}
    {%- for step in path -%}
        {%- do steps.append('[' ~ step ~ ']' if step is number else '."' ~ step ~ '"') -%}
    {%- endfor -%}
    json_extract_string({{ json }}, '${{ steps | join }}')
{%- endmacro %}

{% macro snowflake__json_text(json, path) -%}
    {%- set steps = [] -%}
    {%- for step in path -%}
        {%- do steps.append('[' ~ step ~ ']' if step is number else ('' if loop.first else '.') ~ step) -%}
    {%- endfor -%}
    cast({{ "get_path(" ~ json ~ ", '" ~ (steps | join) ~ "')" if steps else json }} as varchar)
{%- endmacro %}

{% macro postgres__json_text(json, path) -%}
    ({{ json }} #>> '{ {{- path | join(',') -}} }')
{%- endmacro %}


{% macro json_rows(json, alias) -%}
    {{ return(adapter.dispatch('json_rows')(json, alias)) }}
{%- endmacro %}

{% macro default__json_rows(json, alias) -%}
    cross join unnest(json_extract({{ json }}, '$[*]')) as {{ alias }}(value)
{%- endmacro %}

{% macro snowflake__json_rows(json, alias) -%}
    cross join lateral flatten(input => {{ json }}) as {{ alias }}
{%- endmacro %}

{% macro postgres__json_rows(json, alias) -%}
    cross join lateral jsonb_array_elements(
        case when jsonb_typeof({{ json }}) = 'array' then {{ json }} end
    ) as {{ alias }}(value)
{%- endmacro %}
