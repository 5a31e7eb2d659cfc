{# A timestamp as a number that has no format, for keys that must be equal on every warehouse. #}
{% macro epoch_microseconds(column) -%}
    {{ return(adapter.dispatch('epoch_microseconds')(column)) }}
{%- endmacro %}

{% macro default__epoch_microseconds(column) -%}
    epoch_us({{ column }})
{%- endmacro %}

{% macro snowflake__epoch_microseconds(column) -%}
    cast(date_part(epoch_microsecond, {{ column }}) as bigint)
{%- endmacro %}

{# PostgreSQL's extract is an exact number since version 14. #}
{% macro postgres__epoch_microseconds(column) -%}
    cast(extract(epoch from {{ column }}) * 1000000 as bigint)
{%- endmacro %}


{#
    Versions of `historical` bronze as a slowly changing dimension (type 2) of some columns: neighbours that differ in
    none of them become one version. A version that ends before the next one begins stays apart from it, for the entity
    was gone between them. The relation has `valid_from`, `valid_to` (NULL while a version holds) and `loaded_at`.
#}
{% macro scd2_from_versions(relation, key, columns) -%}
    select
        {{ key }},
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        min(valid_from) as valid_from,
        case when count(*) = count(valid_to) then max(valid_to) end as valid_to,
        max(loaded_at) as loaded_at
    from (
        select
            compared.*,
            sum(is_change) over (partition by {{ key }} order by valid_from rows unbounded preceding) as change_number
        from (
            select
                versions.*,
                case
                    when
                        lag(valid_to) over (partition by {{ key }} order by valid_from) = valid_from
                        {%- for column in columns %}
                        and lag({{ column }}) over (partition by {{ key }} order by valid_from) is not distinct from {{ column }}
                        {%- endfor %}
                        then 0
                    else 1
                end as is_change
            from {{ relation }} as versions
        ) as compared
    ) as numbered
    group by
        {{ key }},
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        change_number
{%- endmacro %}


{#
    Rows of an incremental model that follows bronze of `cdc` with hard deletes, to be merged by `key`: what bronze has,
    and, marked as deleted, what the model has and bronze no longer. A deleted row keeps its values; `deleted_at` is when
    the newest load came, for bronze does not say more. A key that comes back is not deleted any more. The model has the
    columns, `is_deleted`, `deleted_at` and `loaded_at`; the relation all but the two about deletes.
#}
{% macro cdc_apply(relation, key, columns) -%}
    select
        {{ key }},
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        false as is_deleted,
        cast(null as {{ dbt.type_timestamp() }}) as deleted_at,
        loaded_at
    from {{ relation }}
    {%- if is_incremental() %}

    union all

    select
        known.{{ key }},
        {%- for column in columns %}
        known.{{ column }},
        {%- endfor %}
        true as is_deleted,
        coalesce(newest.loaded_at, known.loaded_at) as deleted_at,
        known.loaded_at
    from {{ this }} as known
    cross join (
        select max(loaded_at) as loaded_at
        from {{ relation }}
    ) as newest
    where
        not known.is_deleted
        and not exists (
            select 1
            from {{ relation }} as present
            where present.{{ key }} = known.{{ key }}
        )
    {%- endif %}
{%- endmacro %}
