{#
    A model that enriches another one, and may not be there yet: a run builds what is downstream of the datasets that it
    loaded, so the first run of one source must not need another source's staging. Until that is built it has no rows.
    `columns` gives the names and types of what is read.
#}
{% macro ref_or_empty(model, columns) -%}
    {%- set relation = ref(model) -%}
    {{ existing_or_empty(relation, columns) }}
{%- endmacro %}


{#
    The relation, or no rows where nothing has made it yet, such as a table of bronze that no run has loaded. Inputs of unit
    tests are CTEs, and are always there.
#}
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
