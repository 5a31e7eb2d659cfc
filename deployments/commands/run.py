"""`penstock run`: one run of a pipeline, by hand."""

from __future__ import annotations

from typing import Any

import typer

from deployments.commands.options import (
    At,
    Datasets,
    GuardSettings,
    Json,
    Pipeline,
    PlatformName,
    Reload,
    Reuse,
    ReuseKind,
    Since,
    Strategy,
    Transform,
    Until,
    Window,
)


def run(  # noqa: PLR0917 - typer calls it by keyword
    pipeline: Pipeline,
    window: Window = None,
    since: Since = None,
    until: Until = None,
    at: At = None,
    dataset: Datasets = None,
    strategy: Strategy = None,
    reuse: Reuse = ReuseKind.NONE,
    reload: Reload = False,
    guard: GuardSettings = None,
    transform: Transform = True,
    platform: PlatformName = None,
    json: Json = False,
) -> None:
    """Run a pipeline now: extract, stage, load, transform."""
    from deployments.asking import parse_guards, parse_past, parse_strategy, parse_window
    from deployments.running import chosen_platform, run_flow
    from penstock.plan import select_datasets
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import find_pipeline, read_pipeline

    project = find_project()
    spec = read_pipeline(find_pipeline(pipeline, project))
    select_datasets(spec, dataset)
    parameters: dict[str, Any] = {
        "pipeline": pipeline,
        "window": parse_window(window, since, until, spec),
        "load_strategy": parse_strategy(strategy),
        "datasets": dataset,
        "transform": transform,
        "options": {
            "at": parse_past(at, spec),
            "reload": reload,
            "reuse": reuse.value,
            "guards": parse_guards(guard or ()),
        },
    }
    with chosen_platform(platform):
        ended = run_flow(project, spec, parameters)
    ended.show(as_json=json)
    raise typer.Exit(0 if ended.succeeded else 1)
