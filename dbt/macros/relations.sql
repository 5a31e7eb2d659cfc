{#
    Whether something has made a relation. A run builds what is downstream of the datasets that it loaded, so the first
    run of one source comes before another source's tables are there. Inputs of unit tests are CTEs, and are always there.
#}
{% macro is_built(relation) -%}
    {%- if not execute or relation.is_cte or load_relation(relation) is not none -%}
        {{ return(true) }}
    {%- endif -%}
    {#
        dbt's list of a schema is shared by its threads, and taken for whole by the others while one still fills it
        (dbt-adapters, `list_relations`): what it lacks may be there, and is asked of the warehouse.
    #}
    {%- set found = run_query(
        "select count(*) from information_schema.tables where lower(table_catalog) = '" ~ (relation.database | lower)
        ~ "' and lower(table_schema) = '" ~ (relation.schema | lower)
        ~ "' and lower(table_name) = '" ~ (relation.identifier | lower) ~ "'"
    ) -%}
    {{ return(found.rows[0][0] | int > 0) }}
{%- endmacro %}


{# Those of some models that are in the warehouse, as relations. Every name is a dependency. #}
{% macro built_models(names) -%}
    {%- set found = [] -%}
    {%- for name in names -%}
        {%- set relation = ref(name) -%}
        {%- if is_built(relation) -%}
            {%- do found.append(relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}


{# A model that enriches another one, or no rows until it is built. `columns` gives the names and types of what is read. #}
{% macro ref_or_empty(model, columns) -%}
    {%- set relation = ref(model) -%}
    {{ existing_or_empty(relation, columns) }}
{%- endmacro %}


{# The relation, or no rows where nothing has made it yet, such as a table of bronze that no run has loaded. #}
{% macro existing_or_empty(relation, columns) -%}
    {%- if is_built(relation) -%}
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
