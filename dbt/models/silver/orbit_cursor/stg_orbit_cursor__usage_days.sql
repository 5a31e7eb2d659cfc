with

source as (

    {{ union_instances('cursor', 'daily_usage', [
        'bucket_start',
        'email',
        'is_active',
        'accepted_lines_added',
        'total_tabs_shown',
        'total_tabs_accepted',
        'composer_requests',
        'chat_requests',
        'agent_requests',
        'cmdk_usages',
    ], client='orbit') }}

),

days as (

    select
        {{ surrogate_key(['bucket_start', engineer_id('email')]) }} as member_day_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ engineer_id('email') }} as engineer_id,
        {{ engineer_login_id('email') }} as engineer_login_id,
        {{ boolean_or_null('is_active') }} as is_active,
        {{ integer_or_null('accepted_lines_added') }} as accepted_line_count,
        {{ integer_or_null('total_tabs_shown') }} as shown_tab_count,
        {{ integer_or_null('total_tabs_accepted') }} as accepted_tab_count,
        coalesce({{ integer_or_null('composer_requests') }}, 0)
        + coalesce({{ integer_or_null('chat_requests') }}, 0)
        + coalesce({{ integer_or_null('agent_requests') }}, 0)
        + coalesce({{ integer_or_null('cmdk_usages') }}, 0) as request_count,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from days
