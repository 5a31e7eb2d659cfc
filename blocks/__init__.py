"""The outside world: one Prefect block per kind of credential or connection."""
