with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

configured as (

    {%- for name in var('channels') %}
    select '{{ name }}' as channel
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

seen as (

    select distinct channel
    from contacts
    where channel is not null

),

channels as (

    select
        coalesce(configured.channel, seen.channel) as channel,
        {{ team_of_channel('coalesce(configured.channel, seen.channel)') }} as team_name,
        {{ forecast_of_channel('coalesce(configured.channel, seen.channel)') }} as forecast_channel,
        {{ is_live_channel('coalesce(configured.channel, seen.channel)') }} as is_live,
        cast({{ service_level_seconds('coalesce(configured.channel, seen.channel)') }} as bigint) as service_level_seconds,
        configured.channel is not null as is_configured,
        seen.channel is not null as is_used
    from configured
    full outer join seen on configured.channel = seen.channel

)

select * from channels
