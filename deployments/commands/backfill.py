"""`penstock backfill`: a range of time, window by window."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.commands.options import Datasets, Json, Pipeline, PlatformName, Reload, Transform

Start = Annotated[str, typer.Option("--from", help="Where the first window begins (date or time).")]
End = Annotated[str, typer.Option("--to", help="Where the last window ends; not part of it.")]
Every = Annotated[str, typer.Option(help="Length of a window, such as 1d, 1w or 6h.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show which windows would be loaded.")]


def backfill(  # noqa: PLR0917 - typer calls it by keyword
    pipeline: Pipeline,
    since: Start,
    until: End,
    every: Every = "1d",
    dataset: Datasets = None,
    dry_run: DryRun = False,
    reload: Reload = False,
    transform: Transform = True,
    platform: PlatformName = None,
    json: Json = False,
) -> None:
    """Load a range of time in windows; run again, it goes on where it stopped."""
    from deployments.backfilling import plan_backfill, print_windows, run_backfill
    from deployments.running import chosen_platform
    from penstock.plan import select_datasets
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import find_pipeline, read_pipeline

    project = find_project()
    spec = read_pipeline(find_pipeline(pipeline, project))
    select_datasets(spec, dataset)
    with chosen_platform(platform):
        windows = plan_backfill(project, spec, since, until, every=every, names=dataset)
        if dry_run:
            print_windows(windows, as_json=json)
            return
        parameters = {"pipeline": pipeline, "datasets": dataset, "transform": transform, "options": {"reload": reload}}
        succeeded = run_backfill(project, windows, parameters, every=every)
    raise typer.Exit(0 if succeeded else 1)
