with

source as (

    {{ union_instances('openai', 'images', [
        'bucket_start',
        'project_id',
        'user_id',
        'images',
        'num_model_requests',
        'api_key_id',
        'model',
        'size',
        'source',
    ], client='orbit') }}

),

images as (

    select
        {{ surrogate_key(['bucket_start', 'project_id', 'user_id', 'api_key_id', 'model', 'size', 'source']) }} as image_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ text_or_null('project_id') }} as project_id,
        {{ text_or_null('user_id') }} as user_id,
        {{ integer_or_null('images') }} as image_count,
        {{ integer_or_null('num_model_requests') }} as request_count,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from images
