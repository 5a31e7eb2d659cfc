{# $mark #}

{#
    The tables that pipelines load of a dataset of a kind of source, over all clients or of one: a list of mappings with
    client (as in names of sources), instance (none where the pipeline has one connection), source and table, to be looped
    over in a staging model. A dataset that no pipeline has is an error: there is nothing to select from.
#}
{% macro penstock_instances(kind, dataset, client=none) -%}
    {%- set declared = [
$declared
    ] -%}
    {%- set of_dataset = declared | selectattr('kind', 'equalto', kind) | selectattr('dataset', 'equalto', dataset) | list -%}
    {%- set found = of_dataset | selectattr('client', 'equalto', client) | list if client else of_dataset -%}
    {%- if not found -%}
        {{ exceptions.raise_compiler_error("No pipeline loads the dataset " ~ dataset ~ " of " ~ kind ~ (" for " ~ client if client else "") ~ ".") }}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}
