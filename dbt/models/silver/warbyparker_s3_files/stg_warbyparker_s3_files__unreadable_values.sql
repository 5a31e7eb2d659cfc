with

counted as (

    {{ count_unreadable(source('warbyparker_s3_files', 'contact_forecast'), 'contact_forecast', {
        'interval_start': utc_or_null,
        'contacts': number_or_null,
        'aht_s': integer_or_null,
        'version': integer_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_s3_files', 'staffing_plan'), 'staffing_plan', {
        'shift_date': date_or_null,
        'break_min': integer_or_null,
        'paid_hours': number_or_null,
    }) }}

),

unreadable_values as (

    select
        {{ surrogate_key(["'warbyparker_s3_files'", 'table_name', 'column_name']) }} as typed_column_id,
        'warbyparker_s3_files' as source_name,
        table_name,
        column_name,
        value_count,
        unreadable_count
    from counted

)

select * from unreadable_values
