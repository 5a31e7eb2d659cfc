with

source as (

    {{ union_instances('windsurf', 'cascade_lines', ['bucket_start', 'email', 'lines_accepted'], client='orbit') }}

),

days as (

    select
        {{ surrogate_key(['bucket_start', engineer_id('email')]) }} as cascade_day_id,
        cast({{ utc_or_null('bucket_start') }} as date) as usage_date,
        {{ engineer_id('email') }} as engineer_id,
        -- Zeros are left out.
        coalesce({{ integer_or_null('lines_accepted') }}, 0) as accepted_line_count,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from days
