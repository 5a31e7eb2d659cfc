with

source as (

    select
        history.*,
        {{ json_or_null('overall') }} as overall_values,
        {{ json_or_null('series') }} as series_values
    from {{ source('orbit_datadog_slo', 'history') }} as history

),

-- Shares of one where Datadog has percent. Counts are those of metric objectives; the others measure time.
history as (

    select
        {{ surrogate_key(['slo_id', 'from_ts']) }} as slo_day_key,
        {{ text_or_null('slo_id') }} as slo_id,
        {{ utc_of_epoch(integer_or_null('from_ts')) }} as began_at,
        {{ utc_of_epoch(integer_or_null('to_ts')) }} as ended_at,
        {{ number_or_null(json_text('overall_values', ['sli_value'])) }} / 100 as sli_share,
        {{ number_or_null(json_text('series_values', ['numerator', 'sum'])) }} as good_count,
        {{ number_or_null(json_text('series_values', ['denominator', 'sum'])) }} as total_count
    from source

)

select * from history
