"""Gladly (customer service): reports, export jobs and collections of the REST API v1."""
