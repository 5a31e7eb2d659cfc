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


{# The UTC moment at which clocks of the report's zone show a day and a time; a time that comes twice is one of the two. #}
{% macro utc_of_local(local_timestamp) -%}
    {{ return(adapter.dispatch('utc_of_local')(local_timestamp)) }}
{%- endmacro %}

{% macro default__utc_of_local(local_timestamp) -%}
    (({{ local_timestamp }} at time zone '{{ var("report_timezone") }}') at time zone 'UTC')
{%- endmacro %}

{% macro snowflake__utc_of_local(local_timestamp) -%}
    convert_timezone('{{ var("report_timezone") }}', 'UTC', {{ local_timestamp }})
{%- endmacro %}


{# The half hour in which a moment lies, by its start. Zones that are 15 or 45 minutes off would see quarters. #}
{% macro half_hour_of(column) -%}
    {{ dbt.dateadd('minute', "case when extract(minute from " ~ column ~ ") >= 30 then 30 else 0 end", dbt.date_trunc('hour', column)) }}
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
