with

source as (

    select * from {{ source('warbyparker_s3_files', 'contact_forecast') }}

),

ranked as (

    select
        source.*,
        row_number() over (
            partition by interval_start, channel
            order by {{ integer_or_null('version') }} desc nulls last, _source_file desc, _loaded_at desc
        ) as newest
    from source

),

contact_forecasts as (

    select
        {{ surrogate_key(['interval_start', 'channel']) }} as forecast_id,
        {{ utc_or_null('interval_start') }} as interval_start_at,
        {{ text_or_null('channel') }} as forecast_channel,
        {{ number_or_null('contacts') }} as forecast_contact_count,
        {{ integer_or_null('aht_s') }} as forecast_handle_seconds,
        {{ integer_or_null('version') }} as forecast_version
    from ranked
    where newest = 1

)

select * from contact_forecasts
