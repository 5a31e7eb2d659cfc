with

source as (

    select
        slos.*,
        {{ json_or_null('thresholds') }} as threshold_list,
        {{ json_or_null('tags') }} as tag_list
    from {{ source('orbit_datadog_slo', 'slos') }} as slos

),

tags as (

    select
        source.id as slo_id,
        source._valid_from,
        min(substr({{ json_text('tag.value', []) }}, length('service:') + 1)) as service_name
    from source
    {{ json_rows('source.tag_list', 'tag') }}
    where {{ json_text('tag.value', []) }} like 'service:%'
    group by
        source.id,
        source._valid_from

),

-- Of several targets the first is the one that Datadog shows.
slos as (

    select
        {{ surrogate_key(['source.id', 'source._valid_from']) }} as slo_version_key,
        {{ text_or_null('source.id') }} as slo_id,
        {{ text_or_null('source.name') }} as slo_name,
        {{ text_or_null('source.type') }} as slo_type,
        {{ text_or_null('tags.service_name') }} as service_name,
        {{ number_or_null(json_text('source.threshold_list', [0, 'target'])) }} / 100 as target_share,
        {{ utc_of_instant('source._valid_from') }} as valid_from,
        {{ utc_of_instant('source._valid_to') }} as valid_to
    from source
    left join tags
        on
            source.id = tags.slo_id
            and source._valid_from = tags._valid_from

)

select * from slos
