{#
    Rows of a dataset of every instance that pipelines load, one select each: the columns as bronze has them, the
    instance, and the columns of the load. A model of nothing else needs no change when an instance comes or goes.
#}
{% macro union_instances(kind, dataset, columns, client) -%}
    {%- for one in penstock_instances(kind, dataset, client=client) %}
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
