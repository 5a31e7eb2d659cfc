with

source as (

    {{ union_instances('copilot', 'users', [
        'bucket_start', 'user_id', 'user_login', 'organization_id', 'user_initiated_interaction_count',
        'code_generation_activity_count', 'code_acceptance_activity_count', 'loc_added_sum', 'totals_by_cli',
    ], client='orbit') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('totals_by_cli') }} as cli
    from source

),

reported as (

    select
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ text_or_null('user_id') }} as user_id,
        {{ hash_pii('user_login') }} as engineer_login_id,
        {{ integer_or_null('user_initiated_interaction_count') }} as interaction_count,
        {{ integer_or_null('code_generation_activity_count') }} as suggestion_count,
        {{ integer_or_null('code_acceptance_activity_count') }} as accepted_suggestion_count,
        {{ integer_or_null('loc_added_sum') }} as accepted_line_count,
        coalesce({{ integer_or_null(json_text('cli', ['prompt_count'])) }}, 0) as cli_prompt_count,
        {{ integer_or_null(json_text('cli', ['token_usage', 'prompt_tokens_sum'])) }}
        + {{ integer_or_null(json_text('cli', ['token_usage', 'output_tokens_sum'])) }} as cli_tokens,
        {{ utc_of_instant('_loaded_at') }} as loaded_at,
        -- Somebody in two organisations is in both reports, with all that they did: the fuller one counts.
        row_number() over (
            partition by bucket_start, user_id
            order by {{ integer_or_null('user_initiated_interaction_count') }} desc, organization_id
        ) as place
    from parsed

),

days as (

    select
        {{ surrogate_key(['usage_date', 'user_id']) }} as user_day_id,
        usage_date,
        user_id,
        engineer_login_id,
        interaction_count,
        suggestion_count,
        accepted_suggestion_count,
        accepted_line_count,
        cli_prompt_count,
        cli_tokens,
        loaded_at
    from reported
    where place = 1

)

select * from days
