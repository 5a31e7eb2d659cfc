{#
    Rows of a dataset of every instance that pipelines load, one select each: the columns as bronze has them, the
    instance, and the columns of the load. A model of nothing else needs no change when an instance comes or goes.
    Instances that have not been loaded yet are left out; where none has been, the warehouse says which table is missing.
#}
{% macro union_instances(kind, dataset, columns, client) -%}
    {%- set declared = penstock_instances(kind, dataset, client=client) -%}
    {%- set loaded = [] -%}
    {%- for one in declared -%}
        {%- if is_built(source(one.source, one.table)) -%}
            {%- do loaded.append(one) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for one in loaded or declared %}
select
    '{{ one.instance }}' as instance,
    {%- for column in columns %}
    {{ column }},
    {%- endfor %}
    _batch_id,
    _extracted_at,
    _loaded_at
from {{ source(one.source, one.table) }}
{%- if not loop.last %}

union all
{% endif %}
    {%- endfor %}
{%- endmacro %}
