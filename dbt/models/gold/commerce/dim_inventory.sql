{#
    Bronze has no row of stock that ran out. What this table had and bronze no longer has is closed here; a full refresh
    would forget it, so there is none.
#}
{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='inventory_id',
        on_schema_change='fail',
        full_refresh=false,
    )
}}

with

inventory_levels as (

    select * from {{ ref('stg_mercato_sql__inventory_levels') }}

),

changes as (

    {{ cdc_apply('inventory_levels', 'inventory_id', ['product_id', 'warehouse', 'quantity', 'changed_at']) }}

),

inventory as (

    select
        inventory_id,
        product_id,
        warehouse,
        case when is_deleted then 0 else quantity end as quantity,
        changed_at,
        is_deleted,
        deleted_at,
        loaded_at
    from changes

)

select * from inventory
