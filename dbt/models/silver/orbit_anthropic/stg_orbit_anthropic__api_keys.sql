with

source as (

    {{ union_instances('anthropic', 'api_keys', ['id', 'name', 'created_by'], client='orbit') }}

),

parsed as (

    select
        source.*,
        {{ json_or_null('created_by') }} as maker
    from source

),

api_keys as (

    select
        {{ text_or_null('id') }} as api_key_id,
        {{ hash_pii('name') }} as api_key_name_hash,
        {{ json_text('maker', ['id']) }} as user_id
    from parsed

)

select * from api_keys
