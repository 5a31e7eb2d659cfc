with

counted as (

    {{ count_unreadable(source('warbyparker_sprout_social', 'profile_days'), 'profile_days', {
        'reporting_period': date_or_null,
        'metrics': json_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_sprout_social', 'posts'), 'posts', {
        'created_time': utc_or_null,
        'metrics': json_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_sprout_social', 'messages'), 'messages', {
        'created_time': utc_or_null,
        'internal': json_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_sprout_social', 'cases'), 'cases', {
        'created_time': utc_or_null,
        'updated_time': utc_or_null,
        'closed_time': utc_or_null,
    }) }}

),

unreadable_values as (

    select
        {{ surrogate_key(["'warbyparker_sprout_social'", 'table_name', 'column_name']) }} as typed_column_id,
        'warbyparker_sprout_social' as source_name,
        table_name,
        column_name,
        value_count,
        unreadable_count
    from counted

)

select * from unreadable_values
