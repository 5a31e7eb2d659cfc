"""`penstock blocks`: Prefect blocks as code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deployments.commands.options import Json

blocks = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Bring Prefect's blocks to what a file says.",
)

File = Annotated[Path, typer.Argument(help="A YAML file of blocks; secrets in it are references, see docs/blocks.md.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]
OfPlatform = Annotated[
    str | None, typer.Option("--platform", help="Only the blocks that this platform names, and what they refer to.")
]


@blocks.command()
def apply(file: File, dry_run: DryRun = False, platform: OfPlatform = None, json: Json = False) -> None:
    """Create and update blocks as a file says; nothing is deleted, and no secret is shown."""
    from deployments.block_files.applying import apply_file
    from deployments.block_files.display import print_applied
    from deployments.catalog import inspect_catalog
    from deployments.running import prefect_api
    from tasks.definitions.project import find_project

    project = find_project()
    chosen = inspect_catalog(project).platform(platform) if platform else None
    with prefect_api(project):
        applied = apply_file(file, is_dry_run=dry_run, platform=chosen)
    print_applied(applied, as_json=json)
    raise typer.Exit(1 if applied.missing else 0)


@blocks.command()
def register() -> None:
    """Make Penstock's block types known to a Prefect API, for its forms."""
    from blocks.prefect_failures import asking_prefect
    from blocks.registry import BLOCK_CLASSES, block_type
    from deployments.running import prefect_api
    from tasks.definitions.project import find_project

    with prefect_api(find_project()):
        for slug in BLOCK_CLASSES:
            with asking_prefect(type=slug):
                block_type(slug).register_type_and_schema(_sync=True)  # type: ignore[call-arg]
            print(f"registered {slug}")
