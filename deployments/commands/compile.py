"""`penstock compile`: prefect.yaml and dbt's sources from the pipeline files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 and show the difference if they disagree.")]
CompiledPlatform = Annotated[str, typer.Option("--platform", help="Platform that the deployments run on.")]
Output = Annotated[Path | None, typer.Option(help="File to write; prefect.yaml of the project by default.")]


def compile(check: Check = False, platform: CompiledPlatform = "local", output: Output = None) -> None:  # noqa: A001
    """Write prefect.yaml and dbt's sources from the pipeline files, or check that they are up to date."""
    from deployments.compile_file import check_files, write_files
    from deployments.problem_display import shown_path
    from tasks.definitions.project import find_project

    project = find_project()
    path = output or project.root / "prefect.yaml"
    if not check:
        count, dbt_paths = write_files(project, platform, path)
        print(f"wrote {shown_path(path)}: {count} deployment{'' if count == 1 else 's'} on {platform}")
        for one in dbt_paths:
            print(f"{'wrote' if one.exists() else 'removed'} {shown_path(one)}")
        return
    difference = check_files(project, platform, path)
    if difference:
        print(difference, end="")
        print("These files are not what the pipeline files compile to; run `penstock compile`.")
        raise typer.Exit(1)
    print(f"{shown_path(path)} is up to date.")
