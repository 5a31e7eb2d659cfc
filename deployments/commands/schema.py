"""`penstock schema`: the JSON Schemas of the files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Kind(StrEnum):
    """Which file's schema."""

    PIPELINE = "pipeline"
    PLATFORM = "platform"


KindArgument = Annotated[Kind, typer.Argument(help="Which file's schema to print.")]
Write = Annotated[bool, typer.Option("--write", help="Write both into deployments/ instead.")]


def schema(kind: KindArgument = Kind.PIPELINE, write: Write = False) -> None:
    """Print a JSON Schema, or write both to where the files' first line points editors."""
    from deployments.problem_display import shown_path
    from deployments.schema import schema_texts, write_schemas
    from tasks.definitions.project import find_project

    if not write:
        print(schema_texts()[kind.value], end="")
        return
    for path in write_schemas(find_project()):
        print(f"wrote {shown_path(path)}")
