{#
    Those of some models that are in the warehouse, as relations. A pipeline's first run may come before the first one of
    another whose models the same table reads: that table is then made of what there is, and of all once all have run.
    Every name is a dependency.
#}
{% macro built_models(names) -%}
    {%- set found = [] -%}
    {%- for name in names -%}
        {%- set relation = ref(name) -%}
        {%- if not execute or relation.is_cte or load_relation(relation) -%}
            {%- do found.append(relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}
