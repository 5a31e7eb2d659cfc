with

source as (

    {{ union_instances('incident_io', 'incident_timestamps', columns=['id', 'name'], client='orbit') | indent(4) }}

),

incident_timestamps as (

    select
        {{ surrogate_key(['instance', 'id']) }} as timestamp_key,
        instance as workspace,
        {{ text_or_null('name') }} as timestamp_name
    from source

)

select * from incident_timestamps
