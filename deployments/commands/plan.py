"""`penstock plan`: what a run would do, without doing any of it."""

from __future__ import annotations

from deployments.commands.options import At, Datasets, Json, Pipeline, PlatformName, Since, Until, Window


def plan(
    pipeline: Pipeline,
    at: At = None,
    window: Window = None,
    since: Since = None,
    until: Until = None,
    dataset: Datasets = None,
    platform: PlatformName = None,
    json: Json = False,
) -> None:
    """Show intervals, object keys, tables and SQL of a run; touches nothing."""
    from deployments.asking import parse_at, parse_window
    from deployments.planning import plan_run, print_plan
    from deployments.running import chosen_platform
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import find_pipeline, read_pipeline

    project = find_project()
    spec = read_pipeline(find_pipeline(pipeline, project))
    with chosen_platform(platform):
        planned = plan_run(
            project, spec, at=parse_at(at, spec), window=parse_window(window, since, until, spec), names=dataset
        )
    print_plan(planned, as_json=json)
