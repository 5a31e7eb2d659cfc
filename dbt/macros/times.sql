{# The calendar day that clocks of the report's zone show at a UTC moment. #}
{% macro local_date(column) -%}
    {{ return(adapter.dispatch('local_date')(column)) }}
{%- endmacro %}

{% macro default__local_date(column) -%}
    cast(({{ column }} at time zone 'UTC') at time zone '{{ var("report_timezone") }}' as date)
{%- endmacro %}

{% macro snowflake__local_date(column) -%}
    to_date(convert_timezone('UTC', '{{ var("report_timezone") }}', {{ column }}))
{%- endmacro %}


{#
    Whole seconds between two moments, each cut to its second: differences of neighbouring spans then add up to the
    difference of the ends.
#}
{% macro seconds_between(start, finish) -%}
    cast({{ dbt.datediff(start, finish, 'second') }} as bigint)
{%- endmacro %}


{# Seconds within which an inbound contact of a channel should be answered; NULL for a channel without a target. #}
{% macro service_level_seconds(channel) -%}
    case {{ channel }}
    {%- for name, seconds in var('service_level_seconds').items() %}
        when '{{ name }}' then {{ seconds }}
    {%- endfor %}
    end
{%- endmacro %}
