with

source as (

    {{ union_instances('sourcegraph', 'user_activity', [
        'date',
        'user_email',
        'client',
        'language',
        'chats',
        'autocomplete_suggestions',
        'autocomplete_acceptances',
    ], client='orbit') }}

),

days as (

    select
        {{ surrogate_key(['date', engineer_id('user_email'), 'client', 'language']) }} as user_day_id,
        cast({{ utc_or_null('date') }} as date) as usage_date,
        {{ engineer_id('user_email') }} as engineer_id,
        {{ engineer_login_id('user_email') }} as engineer_login_id,
        {{ text_or_null('client') }} as client,
        {{ text_or_null('language') }} as language,
        {{ integer_or_null('chats') }} as chat_count,
        {{ integer_or_null('autocomplete_suggestions') }} as suggestion_count,
        {{ integer_or_null('autocomplete_acceptances') }} as accepted_suggestion_count,
        {{ utc_of_instant('_loaded_at') }} as loaded_at
    from source

)

select * from days
