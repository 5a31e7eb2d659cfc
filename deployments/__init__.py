"""Pipelines and platforms as files, and the commands that read them."""
