{# The first of some expressions that is not NULL; Snowflake's coalesce takes no single one. #}
{% macro first_known(expressions) -%}
    {%- if expressions | length == 1 -%}
        {{ expressions[0] }}
    {%- else -%}
        coalesce({{ expressions | join(', ') }})
    {%- endif -%}
{%- endmacro %}


{# A moment with a zone as a timestamp without one, in UTC. #}
{% macro utc_of_instant(column) -%}
    {{ return(adapter.dispatch('utc_of_instant')(column)) }}
{%- endmacro %}

{% macro default__utc_of_instant(column) -%}
    ({{ column }} at time zone 'UTC')
{%- endmacro %}

{% macro snowflake__utc_of_instant(column) -%}
    cast(convert_timezone('UTC', {{ column }}) as timestamp_ntz)
{%- endmacro %}


{# Whole seconds since the epoch as a timestamp in UTC. #}
{% macro utc_of_epoch(seconds) -%}
    {{ return(adapter.dispatch('utc_of_epoch')(seconds)) }}
{%- endmacro %}

{% macro default__utc_of_epoch(seconds) -%}
    (to_timestamp(cast({{ seconds }} as double precision)) at time zone 'UTC')
{%- endmacro %}

{% macro snowflake__utc_of_epoch(seconds) -%}
    to_timestamp_ntz({{ seconds }})
{%- endmacro %}


{#
    The moment of an incident that one of the names stands for, by the order of the names; `dbt_project.yml` has them
    in `incident_moments`. For use in a query that is grouped by incident.
#}
{% macro incident_moment(names) -%}
    {%- set found = [] -%}
    {%- for name in names -%}
        {%- do found.append("max(case when lower(trim(timestamp_name)) = '" ~ (name | lower | replace("'", "''")) ~ "' then occurred_at end)") -%}
    {%- endfor -%}
    {{ first_known(found) }}
{%- endmacro %}


{# Seconds from the first moment of a pair to the second, of the first pair of which both are known; may be negative. #}
{% macro incident_span(pairs) -%}
    case
    {%- for start, finish in pairs %}
        when {{ start }} is not null and {{ finish }} is not null then {{ seconds_between(start, finish) }}
    {%- endfor %}
    end
{%- endmacro %}


{% macro null_if_negative(number) -%}
    case when {{ number }} >= 0 then {{ number }} end
{%- endmacro %}
