"""Whole runs: the shared ELT body, backfill, the dbt subflow, and each client's flow."""
