{# What makes two spellings of a service's name one. #}
{% macro service_slug(name) -%}
    lower(trim({{ name }}))
{%- endmacro %}
