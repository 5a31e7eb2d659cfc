"""One dbt process at a time, and what it did; free of Prefect."""
