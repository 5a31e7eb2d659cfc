with

counted as (

    {{ count_unreadable(source('warbyparker_gmail', 'csat_responses'), 'csat_responses', {
        'score': integer_or_null,
        'answered_at': utc_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_gmail', 'messages'), 'messages', {
        'internal_date': integer_or_null,
        'size_estimate': integer_or_null,
    }) }}

),

unreadable_values as (

    select
        {{ surrogate_key(["'warbyparker_gmail'", 'table_name', 'column_name']) }} as typed_column_id,
        'warbyparker_gmail' as source_name,
        table_name,
        column_name,
        value_count,
        unreadable_count
    from counted

)

select * from unreadable_values
