{#
    Removes from an incremental model the rows that the model it reads no longer has, by a key that both have. To be used
    as a pre-hook; renders nothing where the model is built whole.
#}
{% macro forget_missing_rows(model, key) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where {{ key }} not in (
            select {{ key }}
            from {{ ref(model) }}
        )
    {%- endif -%}
{%- endmacro %}
