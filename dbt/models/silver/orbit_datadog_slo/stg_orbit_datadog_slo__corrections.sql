with

source as (

    select
        id,
        {{ json_or_null('attributes') }} as attribute_values
    from {{ source('orbit_datadog_slo', 'corrections') }}

),

-- A correction that recurs has a rule instead of an end; no day is known of it.
corrections as (

    select
        {{ text_or_null('id') }} as correction_id,
        {{ json_text('attribute_values', ['slo_id']) }} as slo_id,
        {{ utc_of_epoch(integer_or_null(json_text('attribute_values', ['start']))) }} as started_at,
        {{ utc_of_epoch(integer_or_null(json_text('attribute_values', ['end']))) }} as ended_at
    from source

)

select * from corrections
