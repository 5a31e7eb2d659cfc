"""Whether a store, a warehouse, a source or a dbt project can be used: the least request that proves it, each once."""
