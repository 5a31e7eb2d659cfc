"""The arguments and options that several commands share, so that they mean the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

Pipeline = Annotated[str, typer.Argument(help="Name of a pipeline, or the path of its YAML file.")]
Window = Annotated[str | None, typer.Option(help="Another window than the file's, written as there or as JSON.")]
Since = Annotated[str | None, typer.Option("--from", help="Start of an explicit interval (date or time).")]
Until = Annotated[str | None, typer.Option("--to", help="End of it; not part of the interval.")]
At = Annotated[str | None, typer.Option(help="As if it were scheduled for this time.")]
Datasets = Annotated[list[str] | None, typer.Option("--dataset", help="Only this dataset; may be repeated.")]
Strategy = Annotated[
    str | None, typer.Option(help="Another load strategy: a kind, or as in a file where it has fields.")
]


class ReuseKind(StrEnum):
    """What of an earlier extraction to use again."""

    NONE = "none"
    INGEST = "ingest"
    STAGE = "stage"


Reuse = Annotated[ReuseKind, typer.Option(help="Load an earlier extraction's files again.")]
Reload = Annotated[bool, typer.Option("--reload", help="Load again what the ledger already has.")]
GuardSettings = Annotated[
    list[str] | None, typer.Option("--guard", help="A limit for this run, such as allow_empty=true; may be repeated.")
]
Transform = Annotated[bool, typer.Option("--transform/--no-transform", help="Whether dbt runs afterwards.")]
PlatformName = Annotated[str | None, typer.Option("--platform", help="Default: PENSTOCK_PLATFORM, else local.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
