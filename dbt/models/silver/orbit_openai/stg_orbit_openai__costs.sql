with

source as (

    {{ union_instances('openai', 'costs', ['bucket_start', 'project_id', 'line_item', 'amount'], client='orbit') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('amount') }} as money
    from source

),

costs as (

    select
        {{ surrogate_key(['bucket_start', 'project_id', 'line_item']) }} as cost_id,
        cast({{ utc_or_null('bucket_start') }} as date) as cost_date,
        {{ text_or_null('project_id') }} as project_id,
        {{ text_or_null('line_item') }} as line_item,
        {{ decimal_or_null(json_text('money', ['value'])) }} as amount_dollars,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from parsed

)

select * from costs
