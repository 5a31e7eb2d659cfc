"""`penstock validate`: every problem of every file, without a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deployments.commands.options import Json

Paths = Annotated[list[Path] | None, typer.Argument(help="Pipelines, files or folders; the whole project without any.")]


def validate(paths: Paths = None, json: Json = False) -> None:
    """Check pipeline and platform files strictly and offline; shows all problems at once."""
    from deployments.validating import print_result, validate_files
    from tasks.definitions.project import find_project

    result = validate_files(find_project(), paths or [])
    print_result(result, as_json=json)
    raise typer.Exit(2 if result.errors else 0)
