"""What a source is: one module per kind, free of Prefect."""
