"""Reads pipeline and platform files; free of Prefect."""
