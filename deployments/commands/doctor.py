"""`penstock doctor`: whether everything that a platform names can be used."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.commands.options import Json, PlatformName

Timeout = Annotated[float, typer.Option(min=1, help="Seconds that each check may take.")]


def doctor(platform: PlatformName = None, timeout: Timeout = 30.0, json: Json = False) -> None:
    """Ask store, warehouse, connections, dbt and Prefect whether they can be used, with the least requests."""
    from deployments.doctor.checking import examine
    from deployments.doctor.display import print_examined
    from deployments.running import chosen_platform
    from tasks.definitions.project import find_project

    with chosen_platform(platform):
        name, results = examine(find_project(), timeout_seconds=timeout)
    print_examined(name, results, as_json=json)
    raise typer.Exit(1 if any(result.outcome == "failed" for result in results) else 0)
