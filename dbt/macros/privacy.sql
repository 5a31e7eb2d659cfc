{#
    A pseudonym of a name or an e-mail address: equal for equal values, whatever their case, and not reversible by a
    list of likely names without the salt. The salt stands in compiled SQL and in view definitions, so these are as
    private as the salt.
#}
{% macro hash_pii(column) -%}
    case
        when {{ text_or_null(column) }} is not null
            then {{ sha256_hex("lower(trim(" ~ column ~ ")) || '" ~ (pii_salt() | replace("'", "''")) ~ "'") }}
    end
{%- endmacro %}


{% macro pii_salt() -%}
    {%- set salt = var('pii_salt', env_var('PENSTOCK_PII_SALT', '')) -%}
    {%- if not salt and target.name != 'duckdb' -%}
        {{ exceptions.raise_compiler_error("Set PENSTOCK_PII_SALT: names and addresses are hashed with it on every target but the local one.") }}
    {%- endif -%}
    {{ return(salt or 'local') }}
{%- endmacro %}


{% macro sha256_hex(expression) -%}
    {{ return(adapter.dispatch('sha256_hex')(expression)) }}
{%- endmacro %}

{% macro default__sha256_hex(expression) -%}
    sha256({{ expression }})
{%- endmacro %}

{% macro snowflake__sha256_hex(expression) -%}
    sha2({{ expression }}, 256)
{%- endmacro %}

{% macro postgres__sha256_hex(expression) -%}
    encode(sha256(convert_to({{ expression }}, 'UTF8')), 'hex')
{%- endmacro %}
