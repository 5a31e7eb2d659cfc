with

source as (

    select
        slos.*,
        {{ json_or_null('project') }} as project_values,
        {{ json_or_null('service') }} as service_values,
        {{ json_or_null('objectives') }} as objective_list
    from {{ source('orbit_nobl9', 'slos') }} as slos

),

read_objectives as (

    select
        {{ json_text('source.project_values', ['name']) }} as project_name,
        {{ text_or_null('source.name') }} as slo_name,
        {{ json_text('source.service_values', ['name']) }} as service_name,
        {{ json_text('objective.value', ['name']) }} as objective_name,
        {{ number_or_null(json_text('objective.value', ['target'])) }} as target_share,
        {{ number_or_null(json_text('objective.value', ['reliability'])) }} as sli_share,
        {{ number_or_null(json_text('objective.value', ['counts', 'good'])) }} as good_count,
        {{ number_or_null(json_text('objective.value', ['counts', 'total'])) }} as total_count,
        {{ number_or_null(json_text('objective.value', ['errorBudgetRemainingPercentage'])) }} as error_budget_remaining_share,
        {{ utc_of_instant('source._valid_from') }} as read_at
    from source
    {{ json_rows('source.objective_list', 'objective') }}

),

objectives as (

    select
        {{ surrogate_key(['project_name', 'slo_name', 'objective_name', 'read_at']) }} as reading_key,
        read_objectives.*
    from read_objectives

)

select * from objectives
