with

counted as (

    {{ count_unreadable(source('warbyparker_gladly', 'contact_timestamps'), 'contact_timestamps', {
        'timestamp': utc_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_gladly', 'conversation_timestamps'), 'conversation_timestamps', {
        'timestamp': utc_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_gladly', 'contacts'), 'contacts', {
        'queued_at': utc_or_null,
    }) }}

    union all

    {{ count_unreadable(source('warbyparker_gladly', 'conversations'), 'conversations', {
        'created_at': utc_or_null,
        'first_closed_at': utc_or_null,
        'last_closed_at': utc_or_null,
        'count_of_contacts': integer_or_null,
        'count_of_agents': integer_or_null,
        'times_closed': integer_or_null,
        'times_reopened': integer_or_null,
    }) }}

),

unreadable_values as (

    select
        {{ surrogate_key(["'warbyparker_gladly'", 'table_name', 'column_name']) }} as typed_column_id,
        'warbyparker_gladly' as source_name,
        table_name,
        column_name,
        value_count,
        unreadable_count
    from counted

)

select * from unreadable_values
