"""`penstock status`: what is loaded, what is missing, and how fresh it is."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.commands.options import Json, PlatformName

OptionalPipeline = Annotated[str | None, typer.Argument(help="Only this pipeline (name or path); all without it.")]


def status(pipeline: OptionalPipeline = None, platform: PlatformName = None, json: Json = False) -> None:
    """Show each dataset's last load, gaps and freshness, from the ledger."""
    from deployments.catalog import load_catalog
    from deployments.ledger_status import dataset_statuses, print_statuses
    from deployments.running import chosen_platform
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import find_pipeline, read_pipeline

    project = find_project()
    if pipeline is not None:
        pipelines = [read_pipeline(find_pipeline(pipeline, project))]
    else:
        pipelines = list(load_catalog(project).pipelines)
    with chosen_platform(platform):
        print_statuses(dataset_statuses(project, pipelines), as_json=json)
