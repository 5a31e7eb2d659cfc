with

source as (

    {{ union_instances('anthropic', 'costs', [
        'bucket_start',
        'workspace_id',
        'model',
        'cost_type',
        'token_type',
        'amount',
        'description',
    ], client='orbit') }}

),

costs as (

    select
        {{ surrogate_key(['bucket_start', 'workspace_id', 'description', 'cost_type', 'model', 'token_type']) }} as cost_id,
        cast({{ utc_or_null('bucket_start') }} as date) as cost_date,
        {{ text_or_null('workspace_id') }} as workspace_id,
        {{ text_or_null('model') }} as model,
        {{ text_or_null('cost_type') }} as cost_type,
        {{ text_or_null('token_type') }} as token_type,
        {{ decimal_or_null('amount') }} as amount_cents,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from costs
