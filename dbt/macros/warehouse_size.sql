{#
    Name of the Snowflake warehouse for runs of this kind, from the variables `run_kind` and `snowflake_warehouses`; none
    leaves the target's own. Variables and not flags decide it: dbt parses again when variables change, and keeps
    what an earlier run's flags decided.
#}
{% macro warehouse_of_run() -%}
    {{ return(var('snowflake_warehouses').get(var('run_kind'))) }}
{%- endmacro %}
