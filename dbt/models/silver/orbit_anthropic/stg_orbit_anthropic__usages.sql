with

source as (

    {{ union_instances('anthropic', 'usage', [
        'bucket_start',
        'workspace_id',
        'api_key_id',
        'model',
        'uncached_input_tokens',
        'cache_read_input_tokens',
        'cache_creation',
        'output_tokens',
        'context_window',
        'inference_geo',
        'service_tier',
    ], client='orbit') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('cache_creation') }} as cache_writes
    from source

),

usages as (

    select
        {{ surrogate_key(['bucket_start', 'workspace_id', 'api_key_id', 'model', 'context_window', 'inference_geo', 'service_tier']) }} as usage_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ text_or_null('workspace_id') }} as workspace_id,
        {{ text_or_null('api_key_id') }} as api_key_id,
        {{ text_or_null('model') }} as model,
        coalesce({{ integer_or_null('uncached_input_tokens') }}, 0)
        + coalesce({{ integer_or_null('cache_read_input_tokens') }}, 0)
        + coalesce({{ integer_or_null(json_text('cache_writes', ['ephemeral_5m_input_tokens'])) }}, 0)
        + coalesce({{ integer_or_null(json_text('cache_writes', ['ephemeral_1h_input_tokens'])) }}, 0) as input_tokens,
        {{ integer_or_null('output_tokens') }} as output_tokens,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from parsed

)

select * from usages
