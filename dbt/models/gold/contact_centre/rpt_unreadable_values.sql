with

counted as (

    {{ count_unreadable('warbyparker_gladly', 'contact_timestamps', {'timestamp': utc_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_gladly', 'conversation_timestamps', {'timestamp': utc_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_gladly', 'contacts', {'queued_at': utc_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_gladly', 'conversations', {
        'created_at': utc_or_null, 'first_closed_at': utc_or_null, 'last_closed_at': utc_or_null, 'count_of_contacts': integer_or_null,
        'count_of_agents': integer_or_null, 'times_closed': integer_or_null, 'times_reopened': integer_or_null,
    }) | indent }}
    union all
    {{ count_unreadable('warbyparker_sprout_social', 'profile_days', {'reporting_period': date_or_null, 'metrics': json_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_sprout_social', 'posts', {'created_time': utc_or_null, 'metrics': json_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_sprout_social', 'messages', {'created_time': utc_or_null, 'from_': json_or_null, 'internal': json_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_sprout_social', 'cases', {'created_time': utc_or_null, 'updated_time': utc_or_null, 'closed_time': utc_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_gmail', 'csat_responses', {'score': integer_or_null, 'answered_at': utc_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_gmail', 'messages', {'internal_date': integer_or_null, 'size_estimate': integer_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_google_sheets', 'agent_roster', {'hired_on': date_or_null, 'fte': number_or_null, 'active': boolean_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_google_sheets', 'team_targets', {
        'service_level_target': number_or_null, 'service_level_within_seconds': integer_or_null,
        'handle_time_target_seconds': integer_or_null, 'handle_time_ceiling_seconds': integer_or_null,
    }) | indent }}
    union all
    {{ count_unreadable('warbyparker_google_sheets', 'fte_plan', {'week_starting': date_or_null, 'planned_fte': number_or_null, 'actual_fte': number_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_s3_files', 'contact_forecast', {'interval_start': utc_or_null, 'contacts': number_or_null, 'aht_s': integer_or_null, 'version': integer_or_null}) | indent }}
    union all
    {{ count_unreadable('warbyparker_s3_files', 'staffing_plan', {'shift_date': date_or_null, 'break_min': integer_or_null, 'paid_hours': number_or_null}) | indent }}

),

unreadable_values as (

    select
        {{ surrogate_key(['source_name', 'table_name', 'column_name']) }} as typed_column_id,
        source_name,
        table_name,
        column_name,
        value_count,
        unreadable_count,
        {{ safe_divide('unreadable_count', 'value_count') }} as unreadable_share
    from counted

)

select * from unreadable_values
