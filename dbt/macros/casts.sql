{#
    Typing of bronze text. A value that does not fit becomes NULL instead of ending the run: bronze keeps what came, and
    the tests of the staging models say how often it happened.
#}

{% macro text_or_null(column) -%}
    nullif(trim({{ column }}), '')
{%- endmacro %}


{% macro boolean_or_null(column) -%}
    case lower(trim({{ column }})) when 'true' then true when 'false' then false end
{%- endmacro %}


{% macro integer_or_null(column) -%}
    {{ return(adapter.dispatch('integer_or_null')(column)) }}
{%- endmacro %}

{% macro default__integer_or_null(column) -%}
    try_cast({{ column }} as bigint)
{%- endmacro %}

{# PostgreSQL has no try_cast; a CASE evaluates a branch only after its condition held. #}
{% macro postgres__integer_or_null(column) -%}
    case when {{ column }} ~ '^\s*[+-]?\d{1,18}\s*$' then cast({{ column }} as bigint) end
{%- endmacro %}


{# A moment as a timestamp without a zone, in UTC. Text without an offset is taken as UTC, a day as its midnight. #}
{% macro utc_or_null(column) -%}
    {{ return(adapter.dispatch('utc_or_null')(column)) }}
{%- endmacro %}

{# The offset is made explicit, so that the session's zone decides nothing. #}
{% macro default__utc_or_null(column) -%}
    try_cast(
        case
            when regexp_matches(trim({{ column }}), '(Z|[+-][0-9]{2}:?[0-9]{2})$') then trim({{ column }})
            when length(trim({{ column }})) = 10 then trim({{ column }}) || 'T00:00:00Z'
            else trim({{ column }}) || 'Z'
        end
        as timestamp with time zone
    ) at time zone 'UTC'
{%- endmacro %}

{% macro snowflake__utc_or_null(column) -%}
    cast(
        convert_timezone(
            'UTC',
            try_cast(
                case
                    when regexp_like(trim({{ column }}), '.*(Z|[+-][0-9]{2}:?[0-9]{2})') then trim({{ column }})
                    when length(trim({{ column }})) = 10 then trim({{ column }}) || 'T00:00:00Z'
                    else trim({{ column }}) || 'Z'
                end
                as timestamp_tz
            )
        ) as timestamp_ntz
    )
{%- endmacro %}

{# The pattern leaves one way to fail, a day that its month lacks; the inner CASE closes it. #}
{% macro postgres__utc_or_null(column) -%}
    {%- set date_pattern = '\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])' -%}
    {%- set time_pattern = '([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?' -%}
    {%- set offset_pattern = '(Z|[+-][01]\d:?[0-5]\d)' -%}
    case
        when trim({{ column }}) ~ '^{{ date_pattern }}([T ]{{ time_pattern }}{{ offset_pattern }}?)?$' then
            case
                when cast(substr(trim({{ column }}), 9, 2) as integer) <= extract(
                    day from cast(substr(trim({{ column }}), 1, 7) || '-01' as date) + interval '1 month' - interval '1 day'
                ) then cast(
                    trim({{ column }}) || case when trim({{ column }}) ~ '{{ time_pattern }}{{ offset_pattern }}$' then '' else ' UTC' end
                    as timestamp with time zone
                ) at time zone 'UTC'
            end
    end
{%- endmacro %}
