"""The catalogue: pipelines, datasets and models on static pages, with dbt's own documentation beside them."""
