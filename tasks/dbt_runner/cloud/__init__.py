"""dbt Cloud as an engine: a job's runs are triggered, followed and read over its Administrative API v2."""
