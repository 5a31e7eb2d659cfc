"""`penstock deploy`: the project's deployments on a Prefect server."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.commands.options import Json, PlatformName

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these pipelines; all without any.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")]
Prune = Annotated[
    bool, typer.Option("--prune", help="Remove what Penstock deployed earlier and the files have no more.")
]
Adopt = Annotated[
    bool, typer.Option("--adopt", help="Take over deployments of these names that another made, for instance by hand.")
]
CreatePool = Annotated[
    bool, typer.Option("--create-pool", help="Make the work pool if it is missing and of type process.")
]
AtOnce = Annotated[
    int | None,
    typer.Option(min=1, max=32, help="Requests at once; by default 8 on Prefect Cloud, else 1, all that SQLite takes."),
]


def deploy(
    names: Names = None,
    dry_run: DryRun = False,
    prune: Prune = False,
    platform: PlatformName = None,
    adopt: Adopt = False,
    create_pool: CreatePool = False,
    at_once: AtOnce = None,
    json: Json = False,
) -> None:
    """Make a Prefect server's deployments, schedules, alerts and limits those that the files describe.

    Sends nothing for what did not change. A schedule that was paused by hand stays paused.
    """
    import asyncio
    import os

    from deployments.catalog import load_catalog
    from deployments.deploy.deploying import DeployOptions, deploy_to_server
    from deployments.deploy.display import print_deployed
    from deployments.deploy.server import require_api
    from tasks.definitions.project import find_project

    if names and prune:
        raise typer.BadParameter("--prune looks at all pipelines: give no names with it")
    catalog = load_catalog(find_project())
    chosen = catalog.platform(platform or os.environ.get("PENSTOCK_PLATFORM", "local"))
    require_api()
    options = DeployOptions(tuple(names or ()), dry_run, prune, adopt, create_pool, at_once)
    deployed = asyncio.run(deploy_to_server(catalog, chosen, options))
    print_deployed(deployed, as_json=json)
    if deployed.failed:
        raise typer.Exit(1)
