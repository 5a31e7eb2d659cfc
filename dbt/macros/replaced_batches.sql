{#
    Removes from an incremental model the rows of batches that bronze no longer has: a window that was loaded again
    stands there under a new batch. To be used as a pre-hook; renders nothing where the model is built whole.
#}
{% macro forget_replaced_batches(staging_model) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where batch_id not in (
            select batch_id
            from {{ ref(staging_model) }}
            where batch_id is not null
        )
    {%- endif -%}
{%- endmacro %}
