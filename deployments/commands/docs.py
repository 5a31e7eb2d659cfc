"""`penstock docs`: the catalogue of pipelines, datasets and models, served or written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deployments.commands.options import PlatformName
from penstock.wording import counted

Build = Annotated[Path | None, typer.Option("--build", help="Write the pages into this folder, and serve nothing.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")]


def docs(build: Build = None, port: Port = 8766, platform: PlatformName = None) -> None:
    """Show pipelines, datasets, freshness, models and column lineage, beside dbt's documentation."""
    from deployments.catalog import load_catalog
    from deployments.catalogue.building import build_catalogue
    from deployments.catalogue.serving import serve_catalogue
    from deployments.problem_display import shown_path
    from deployments.running import chosen_platform
    from tasks.definitions.project import find_project
    from tasks.environment import current_environment

    project = find_project()
    with chosen_platform(platform):
        chosen = current_environment(project, connections=()).platform
        folder = build or chosen.home / "catalogue" / chosen.platform
        contents = build_catalogue(load_catalog(project), chosen, folder)
    found = f"{counted(len(contents.pipelines), 'pipeline')}, {counted(len(contents.models), 'model')}"
    print(f"wrote {shown_path(folder)}: {found}", flush=True)
    if build is None:
        serve_catalogue(folder, port, lambda url: print(f"The catalogue is at {url}; stop it with Ctrl-C.", flush=True))
