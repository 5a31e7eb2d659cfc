"""The generic source: any REST API that a pipeline file can describe."""
