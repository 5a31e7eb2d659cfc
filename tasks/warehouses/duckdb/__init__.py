"""The embedded warehouse: one DuckDB file that several processes and threads share."""
