with

source as (

    {{ union_instances('anthropic', 'claude_code', [
        'bucket_start',
        'actor',
        'customer_type',
        'terminal_type',
        'model_breakdown',
    ], client='orbit') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('actor') }} as who,
        {{ json_or_null('model_breakdown') }} as models
    from source

),

by_model as (

    select
        parsed.*,
        {{ json_text('who', ['email_address']) }} as email,
        {{ json_text('who', ['api_key_name']) }} as key_name,
        {{ json_text('one.value', ['model']) }} as model,
        {{ json_text('one.value', ['tokens', 'input']) }} as input,
        {{ json_text('one.value', ['tokens', 'cache_read']) }} as cache_read,
        {{ json_text('one.value', ['tokens', 'cache_creation']) }} as cache_creation,
        {{ json_text('one.value', ['tokens', 'output']) }} as output,
        {{ json_text('one.value', ['estimated_cost', 'amount']) }} as cents
    from parsed
    {{ json_rows('models', 'one') }}

),

usages as (

    select
        {{ surrogate_key(['bucket_start', engineer_id('email'), hash_pii('key_name'), 'customer_type', 'terminal_type', 'model']) }} as code_usage_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ engineer_id('email') }} as engineer_id,
        {{ hash_pii('key_name') }} as api_key_name_hash,
        {{ text_or_null('customer_type') }} as customer_type,
        {{ text_or_null('terminal_type') }} as terminal_type,
        model,
        coalesce({{ integer_or_null('input') }}, 0)
        + coalesce({{ integer_or_null('cache_read') }}, 0)
        + coalesce({{ integer_or_null('cache_creation') }}, 0) as input_tokens,
        {{ integer_or_null('output') }} as output_tokens,
        {{ decimal_or_null('cents') }} as estimated_cost_cents,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from by_model

)

select * from usages
