{%- set columns = {
    'typed_column_id': dbt.type_string(),
    'source_name': dbt.type_string(),
    'table_name': dbt.type_string(),
    'column_name': dbt.type_string(),
    'value_count': 'bigint',
    'unreadable_count': 'bigint',
} -%}

with

counted as (

    select * from {{ ref_or_empty('stg_warbyparker_gladly__unreadable_values', columns) }} as gladly_values

    union all

    select * from {{ ref_or_empty('stg_warbyparker_sprout_social__unreadable_values', columns) }} as sprout_social_values

    union all

    select * from {{ ref_or_empty('stg_warbyparker_gmail__unreadable_values', columns) }} as gmail_values

    union all

    select * from {{ ref_or_empty('stg_warbyparker_google_sheets__unreadable_values', columns) }} as google_sheets_values

    union all

    select * from {{ ref_or_empty('stg_warbyparker_s3_files__unreadable_values', columns) }} as s3_files_values

),

unreadable_values as (

    select
        counted.*,
        {{ safe_divide('unreadable_count', 'value_count') }} as unreadable_share
    from counted

)

select * from unreadable_values
