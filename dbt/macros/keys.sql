{# A key that the values alone decide. The separator cannot stand in an id, and NULL differs from blank text. #}
{% macro surrogate_key(columns) -%}
    {%- set parts = [] -%}
    {%- for column in columns -%}
        {%- do parts.append("coalesce(cast(" ~ column ~ " as " ~ dbt.type_string() ~ "), chr(30))") -%}
    {%- endfor -%}
    {{ dbt.hash(parts | join(" || chr(31) || ")) }}
{%- endmacro %}
