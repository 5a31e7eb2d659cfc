{# What `channels` in `dbt_project.yml` says of a channel, as expressions over a channel's name. #}

{% macro team_of_channel(channel) -%}
    {{ channel_setting(channel, 'team') }}
{%- endmacro %}

{% macro forecast_of_channel(channel) -%}
    {{ channel_setting(channel, 'forecast') }}
{%- endmacro %}

{% macro channel_setting(channel, setting) -%}
    case {{ channel }}
    {%- for name, settings in var('channels').items() if setting in settings %}
        when '{{ name }}' then '{{ settings[setting] }}'
    {%- endfor %}
    end
{%- endmacro %}

{% macro is_live_channel(channel) -%}
    case {{ channel }}
    {%- for name, settings in var('channels').items() %}
        when '{{ name }}' then {{ 'true' if settings.is_live else 'false' }}
    {%- endfor %}
    end
{%- endmacro %}

{# The channel that the forecast calls so; one that no channel is called stays as it is. #}
{% macro channel_of_forecast(forecast_channel) -%}
    case {{ forecast_channel }}
    {%- for name, settings in var('channels').items() if 'forecast' in settings %}
        when '{{ settings.forecast }}' then '{{ name }}'
    {%- endfor %}
        else {{ forecast_channel }}
    end
{%- endmacro %}
