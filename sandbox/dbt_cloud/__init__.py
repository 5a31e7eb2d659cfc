"""An emulated dbt Cloud account: jobs, their runs, and the files that dbt leaves (Administrative API v2)."""
