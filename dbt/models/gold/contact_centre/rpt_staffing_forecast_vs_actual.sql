with

forecasts as (

    select * from {{ ref_or_empty('stg_warbyparker_s3_files__contact_forecasts', {
        'interval_start_at': 'timestamp',
        'forecast_channel': dbt.type_string(),
        'forecast_contact_count': 'double precision',
        'forecast_handle_seconds': 'bigint',
        'forecast_version': 'bigint',
    }) }} as forecasts

),

shifts as (

    select * from {{ ref_or_empty('stg_warbyparker_s3_files__staffing_shifts', {
        'team_name': dbt.type_string(),
        'starts_at': 'timestamp',
        'ends_at': 'timestamp',
    }) }} as shifts

),

actuals as (

    select * from {{ ref_or_empty('agg_service_level_intervals', {
        'interval_start_at': 'timestamp',
        'channel': dbt.type_string(),
        'offered_count': 'bigint',
        'answered_count': 'bigint',
        'handle_seconds': 'bigint',
        'average_handle_seconds': 'double precision',
        'service_level_share': 'double precision',
    }) }} as actuals

),

channel_forecasts as (

    select
        forecasts.*,
        {{ channel_of_forecast('forecast_channel') }} as channel
    from forecasts
    where interval_start_at is not null

),

-- Channels without a forecast are not compared; a forecast of a channel that nobody knows is kept under its own name.
forecast_channels as (

    select distinct channel
    from channel_forecasts

),

compared_actuals as (

    select actuals.*
    from actuals
    inner join forecast_channels on actuals.channel = forecast_channels.channel

),

joined as (

    select
        coalesce(channel_forecasts.interval_start_at, compared_actuals.interval_start_at) as interval_start_at,
        coalesce(channel_forecasts.channel, compared_actuals.channel) as channel,
        channel_forecasts.forecast_version,
        channel_forecasts.forecast_contact_count,
        channel_forecasts.forecast_handle_seconds,
        coalesce(compared_actuals.offered_count, 0) as offered_count,
        coalesce(compared_actuals.answered_count, 0) as answered_count,
        coalesce(compared_actuals.handle_seconds, 0) as handle_seconds,
        compared_actuals.average_handle_seconds,
        compared_actuals.service_level_share
    from channel_forecasts
    full outer join compared_actuals
        on
            channel_forecasts.interval_start_at = compared_actuals.interval_start_at
            and channel_forecasts.channel = compared_actuals.channel

),

teamed as (

    select
        joined.*,
        {{ team_of_channel('channel') }} as team_name
    from joined

),

team_intervals as (

    select distinct
        team_name,
        interval_start_at
    from teamed

),

-- Who is on shift when the half hour starts; the plan does not say when breaks are.
scheduled as (

    select
        team_intervals.team_name,
        team_intervals.interval_start_at,
        count(*) as scheduled_agent_count
    from team_intervals
    inner join shifts
        on
            team_intervals.team_name = shifts.team_name
            and team_intervals.interval_start_at >= shifts.starts_at
            and team_intervals.interval_start_at < shifts.ends_at
    group by
        team_intervals.team_name,
        team_intervals.interval_start_at

),

compared as (

    select
        {{ surrogate_key([seconds_between("cast('2000-01-01' as timestamp)", 'teamed.interval_start_at'), 'teamed.channel']) }} as channel_interval_id,
        teamed.interval_start_at,
        {{ local_date('teamed.interval_start_at') }} as date_day,
        teamed.channel,
        teamed.team_name,
        teamed.forecast_version,
        teamed.forecast_contact_count,
        cast(teamed.offered_count as bigint) as offered_count,
        teamed.offered_count - teamed.forecast_contact_count as contact_variance,
        {{ safe_divide('teamed.offered_count - teamed.forecast_contact_count', 'teamed.forecast_contact_count') }} as contact_variance_share,
        teamed.forecast_handle_seconds,
        teamed.average_handle_seconds,
        teamed.forecast_contact_count * teamed.forecast_handle_seconds as forecast_workload_seconds,
        cast(teamed.handle_seconds as bigint) as workload_seconds,
        cast(teamed.answered_count as bigint) as answered_count,
        teamed.service_level_share,
        cast(coalesce(scheduled.scheduled_agent_count, 0) as bigint) as scheduled_agent_count
    from teamed
    left join scheduled
        on
            teamed.team_name = scheduled.team_name
            and teamed.interval_start_at = scheduled.interval_start_at

)

select * from compared
