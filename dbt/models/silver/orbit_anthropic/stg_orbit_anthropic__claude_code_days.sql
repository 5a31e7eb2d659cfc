with

source as (

    {{ union_instances('anthropic', 'claude_code', [
        'bucket_start',
        'actor',
        'customer_type',
        'terminal_type',
        'core_metrics',
        'tool_actions',
    ], client='orbit') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('actor') }} as who,
        {{ json_or_null('core_metrics') }} as core,
        {{ json_or_null('tool_actions') }} as actions
    from source

),

named as (

    select
        parsed.*,
        {{ json_text('who', ['email_address']) }} as email,
        {{ json_text('who', ['api_key_name']) }} as key_name
    from parsed

),

days as (

    select
        {{ surrogate_key(['bucket_start', engineer_id('email'), hash_pii('key_name'), 'customer_type', 'terminal_type']) }} as code_day_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ engineer_id('email') }} as engineer_id,
        {{ engineer_login_id('email') }} as engineer_login_id,
        {{ hash_pii('key_name') }} as api_key_name_hash,
        {{ text_or_null('customer_type') }} as customer_type,
        {{ text_or_null('terminal_type') }} as terminal_type,
        {{ integer_or_null(json_text('core', ['num_sessions'])) }} as session_count,
        {{ integer_or_null(json_text('core', ['lines_of_code', 'added'])) }} as added_line_count,
        {%- for tool in ['edit_tool', 'multi_edit_tool', 'write_tool', 'notebook_edit_tool'] %}
        coalesce({{ integer_or_null(json_text('actions', [tool, 'accepted'])) }}, 0){{ ' +' if not loop.last else ' as accepted_action_count,' }}
        {%- endfor %}
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from named

)

select * from days
