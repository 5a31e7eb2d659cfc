"""`penstock backfill`: a range of time, window by window."""

from __future__ import annotations

from typing import Annotated

import typer

from deployments.commands.options import Datasets, Json, Pipeline, PlatformName, Reload, Transform

Start = Annotated[str, typer.Option("--from", help="Where the first window begins (date or time).")]
End = Annotated[str, typer.Option("--to", help="Where the last window ends; not part of it.")]
Every = Annotated[str, typer.Option(help="Length of a window, such as 1d, 1w or 6h.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show which windows would be loaded.")]
OnWorkers = Annotated[
    bool, typer.Option("--on-workers", help="Run each window as a run of the pipeline's deployment, on its workers.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="How many windows run at once on workers; default: 4.")]


def backfill(  # noqa: PLR0917 - typer calls it by keyword
    pipeline: Pipeline,
    since: Start,
    until: End,
    every: Every = "1d",
    dataset: Datasets = None,
    dry_run: DryRun = False,
    on_workers: OnWorkers = False,
    limit: Limit = None,
    reload: Reload = False,
    transform: Transform = True,
    platform: PlatformName = None,
    json: Json = False,
) -> None:
    """Load a range of time in windows; run again, it goes on where it stopped."""
    from deployments.backfilling import plan_backfill, print_backfill, print_windows, run_backfill
    from deployments.running import chosen_platform
    from deployments.worker_backfill import WindowRuns, backfill_on_workers
    from penstock.errors import ConfigurationError
    from penstock.plan import select_datasets
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import find_pipeline, read_pipeline

    if limit is not None and not on_workers:
        raise ConfigurationError("--limit is about workers", guidance="Give it together with --on-workers.")
    project = find_project()
    spec = read_pipeline(find_pipeline(pipeline, project))
    select_datasets(spec, dataset)
    with chosen_platform(platform):
        windows = plan_backfill(project, spec, since, until, every=every, names=dataset)
        if dry_run:
            print_windows(windows, as_json=json)
            return
        if on_workers:
            asked = WindowRuns(datasets=dataset, transform=transform, reload=reload, limit=limit)
            report = backfill_on_workers(project, spec, windows, asked)
        else:
            options = {"reload": reload}
            parameters = {"datasets": dataset, "transform": transform, "options": options, "every": every}
            report = run_backfill(project, spec, windows, {"pipeline": pipeline, **parameters})
    print_backfill(report, as_json=json)
    raise typer.Exit(0 if report.is_green else 1)
