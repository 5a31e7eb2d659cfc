with

source as (

    {{ union_instances('openai', 'embeddings', [
        'bucket_start',
        'project_id',
        'user_id',
        'model',
        'input_tokens',
        'num_model_requests',
        'api_key_id',
    ], client='orbit') }}

),

embeddings as (

    select
        {{ surrogate_key(['bucket_start', 'project_id', 'user_id', 'api_key_id', 'model']) }} as embedding_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ text_or_null('project_id') }} as project_id,
        {{ text_or_null('user_id') }} as user_id,
        {{ text_or_null('model') }} as model,
        {{ integer_or_null('input_tokens') }} as input_tokens,
        {{ integer_or_null('num_model_requests') }} as request_count,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from embeddings
