with

responses as (

    select * from {{ ref('fct_csat_responses') }}

),

counted as (

    select
        answered_date,
        channel,
        agent_id,
        count(score) as response_count,
        sum(case when is_satisfied then 1 else 0 end) as satisfied_count,
        sum(score) as score_sum
    from responses
    where
        answered_date is not null
        and score is not null
    group by
        answered_date,
        channel,
        agent_id

),

csat_daily as (

    select
        {{ surrogate_key(['answered_date', 'channel', 'agent_id']) }} as csat_day_id,
        answered_date as date_day,
        channel,
        agent_id,
        cast(response_count as bigint) as response_count,
        cast(satisfied_count as bigint) as satisfied_count,
        cast(score_sum as bigint) as score_sum,
        {{ safe_divide('satisfied_count', 'response_count') }} as csat_share,
        {{ safe_divide('score_sum', 'response_count') }} as average_score
    from counted

)

select * from csat_daily
