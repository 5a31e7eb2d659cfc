{# $mark #}

{#
    The datasets that feed a table made of many (`feeds` in a pipeline file), over all clients or of one: a list of mappings
    with client (as in names of sources), source, table and the keys of `feeds`, to be looped over in a staging model. It
    may be empty.
#}
{% macro penstock_feeds(model, client=none) -%}
    {%- set declared = [
$declared
    ] -%}
    {%- set of_model = declared | selectattr('model', 'equalto', model) | list -%}
    {{ return(of_model | selectattr('client', 'equalto', client) | list if client else of_model) }}
{%- endmacro %}
