{#
    A model that enriches another one, and may not be there yet: a run builds what is downstream of the datasets that it
    loaded, so the first run of one source must not need another source's staging. Until that is built it has no rows.
    `columns` gives the names and types of what is read.
#}
{% macro ref_or_empty(model, columns) -%}
    {%- set relation = ref(model) -%}
    {{ existing_or_empty(relation, columns) }}
{%- endmacro %}


{# The same for a table of bronze that no run has loaded yet. Its columns are text, but for those of the load. #}
{% macro source_or_empty(source_name, table, columns) -%}
    {%- set relation = source(source_name, table) -%}
    {%- set types = {} -%}
    {%- for column in columns -%}
        {%- do types.update({column: dbt.type_string()}) -%}
    {%- endfor -%}
    {{ existing_or_empty(relation, types) }}
{%- endmacro %}


{# Inputs of unit tests are CTEs, and are always there. #}
{% macro existing_or_empty(relation, columns) -%}
    {%- if not execute or relation.is_cte or load_relation(relation) is not none -%}
        {{ relation }}
    {%- else -%}
        (
            select
            {%- for name, type in columns.items() %}
                cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
            where 1 = 0
        )
    {%- endif -%}
{%- endmacro %}
