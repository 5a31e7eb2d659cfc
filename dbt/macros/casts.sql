{#
    Typing of bronze text. A value that does not fit becomes NULL instead of ending the run: bronze keeps what came, and
    `rpt_unreadable_values` counts it. What fits is decided by a pattern first, which is the same on every warehouse: their own
    casts differ (DuckDB takes 1.5 and 1_000 for whole numbers, PostgreSQL has no cast that cannot fail).
#}

{% macro text_or_null(column) -%}
    nullif(trim({{ column }}), '')
{%- endmacro %}


{% macro boolean_or_null(column) -%}
    case lower(trim({{ column }})) when 'true' then true when 'false' then false end
{%- endmacro %}


{# Whether the whole of a trimmed text fits a pattern; only what DuckDB, PostgreSQL and Snowflake read alike: no \d, no lookahead. #}
{% macro fits_pattern(column, pattern) -%}
    {{ return(adapter.dispatch('fits_pattern')(column, pattern)) }}
{%- endmacro %}

{% macro default__fits_pattern(column, pattern) -%}
    regexp_full_match(trim({{ column }}), '{{ pattern }}')
{%- endmacro %}

{% macro snowflake__fits_pattern(column, pattern) -%}
    regexp_like(trim({{ column }}), '{{ pattern }}')
{%- endmacro %}

{% macro postgres__fits_pattern(column, pattern) -%}
    trim({{ column }}) ~ '^({{ pattern }})$'
{%- endmacro %}


{# A CASE evaluates a branch only after its condition held, so that a plain cast cannot fail in it. #}
{% macro integer_or_null(column) -%}
    case when {{ fits_pattern(column, '[+-]?[0-9]{1,18}') }} then cast(trim({{ column }}) as bigint) end
{%- endmacro %}


{# Years before 1000 are left out: PostgreSQL has no year 0, and none of ours is that old. #}
{% macro date_pattern() -%}
    {{ return('[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])') }}
{%- endmacro %}

{% macro time_pattern() -%}
    {{ return('([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?') }}
{%- endmacro %}

{# Of the offsets that exist the greatest is +14:00; PostgreSQL refuses those from 16 hours on. #}
{% macro offset_pattern() -%}
    {{ return('(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])') }}
{%- endmacro %}


{# A calendar day, `YYYY-MM-DD`; a day that its month lacks is NULL. #}
{% macro date_or_null(column) -%}
    case when {{ fits_pattern(column, date_pattern()) }} then {{ cast_day('trim(' ~ column ~ ')', 'date') }} end
{%- endmacro %}


{# The cast of a text that begins like a day; NULL where the month lacks that day. #}
{% macro cast_day(text, type) -%}
    {{ return(adapter.dispatch('cast_day')(text, type)) }}
{%- endmacro %}

{% macro default__cast_day(text, type) -%}
    try_cast({{ text }} as {{ type }})
{%- endmacro %}

{% macro postgres__cast_day(text, type) -%}
    case
        when cast(substr({{ text }}, 9, 2) as integer) <= extract(
            day from cast(substr({{ text }}, 1, 7) || '-01' as date) + interval '1 month' - interval '1 day'
        ) then cast({{ text }} as {{ type }})
    end
{%- endmacro %}


{# A moment as a timestamp without a zone, in UTC. Text without an offset is taken as UTC, a day as its midnight. #}
{% macro utc_or_null(column) -%}
    {{ return(adapter.dispatch('utc_or_null')(column)) }}
{%- endmacro %}

{% macro default__utc_or_null(column) -%}
    ({{ cast_day(utc_text(column), 'timestamp with time zone') }} at time zone 'UTC')
{%- endmacro %}

{# Snowflake recognises an offset by its colon. #}
{% macro snowflake__utc_or_null(column) -%}
    cast(
        convert_timezone(
            'UTC',
            try_cast(
                regexp_replace({{ utc_text(column) }}, '([+-][0-9]{2})([0-9]{2})$', '\\1:\\2')
                as timestamp_tz
            )
        ) as timestamp_ntz
    )
{%- endmacro %}

{# With the offset made explicit, so that the session's zone decides nothing; NULL where the text is no moment. #}
{% macro utc_text(column) -%}
    case
        when {{ fits_pattern(column, date_pattern()) }} then trim({{ column }}) || 'T00:00:00Z'
        when {{ fits_pattern(column, date_pattern() ~ '[T ]' ~ time_pattern()) }} then replace(trim({{ column }}), ' ', 'T') || 'Z'
        when {{ fits_pattern(column, date_pattern() ~ '[T ]' ~ time_pattern() ~ offset_pattern()) }} then replace(trim({{ column }}), ' ', 'T')
    end
{%- endmacro %}


{# Milliseconds since the epoch, a whole number, as a timestamp in UTC; NULL outside of the years 1970 to 2099. #}
{% macro utc_of_milliseconds(milliseconds) -%}
    case
        when {{ milliseconds }} between 0 and 4102444799999
            then {{ adapter.dispatch('cast_milliseconds')(milliseconds) }}
    end
{%- endmacro %}

{% macro default__cast_milliseconds(milliseconds) -%}
    make_timestamp(({{ milliseconds }}) * 1000)
{%- endmacro %}

{% macro snowflake__cast_milliseconds(milliseconds) -%}
    to_timestamp_ntz({{ milliseconds }}, 3)
{%- endmacro %}

{% macro postgres__cast_milliseconds(milliseconds) -%}
    (to_timestamp(({{ milliseconds }}) / 1000.0) at time zone 'UTC')
{%- endmacro %}
