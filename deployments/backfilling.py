"""Plans a backfill from the ledger, and runs it from the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from deployments.asking import parse_moment
from deployments.running import open_platform_warehouse
from penstock.artifacts import Interval
from penstock.backfill import cut, missing, refuse_future
from penstock.errors import ConfigurationError
from penstock.pipeline import PipelineSpec
from penstock.plan import backfill_zone, select_datasets
from penstock.report import BackfillReport
from penstock.spec import Artifact
from tasks.definitions.project import Project


class BackfillWindow(Artifact):
    """One window, and the datasets that the ledger lacks in it."""

    interval: Interval
    missing: tuple[str, ...]


def plan_backfill(
    project: Project, pipeline: PipelineSpec, since: str, until: str, *, every: str, names: Sequence[str] | None
) -> list[BackfillWindow]:
    """Cuts a range into windows and asks the ledger what is missing in each; touches nothing.

    Raises:
        ConfigurationError: the range is empty, or a dataset does not honour a window.
    """
    zone = backfill_zone(pipeline, names)
    start, end = parse_moment(since, zone), parse_moment(until, zone)
    if end <= start:
        raise ConfigurationError(
            "the range is empty", guidance="--to is not part of it: give a later one than --from.", start=start, end=end
        )
    refuse_future(end, datetime.now(UTC))
    windows = cut(start, end, every, zone)
    datasets = select_datasets(pipeline, names)
    warehouse = open_platform_warehouse(project)
    records = warehouse.loads(targets=[dataset.target for dataset in datasets], touching=(start, end))
    lacking = {dataset.name: set(missing(windows, records, dataset.target)) for dataset in datasets}
    return [
        BackfillWindow(interval=window, missing=tuple(name for name, gaps in lacking.items() if window in gaps))
        for window in windows
    ]


def print_windows(windows: Sequence[BackfillWindow], *, as_json: bool) -> None:
    """Prints which windows would be loaded."""
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in windows], indent=2))
        return
    from deployments.display import print_table

    rows = []
    for one in windows:
        start, end = (_local(moment, one.interval.timezone) for moment in one.interval.bounds())
        rows.append((start, end, ", ".join(one.missing) or "nothing: already loaded"))
    print_table("Backfill", ("from", "to", "to load"), rows)


def run_backfill(
    project: Project, pipeline: PipelineSpec, windows: Sequence[BackfillWindow], parameters: Mapping[str, Any]
) -> BackfillReport:
    """Runs the backfill flow in this process; windows that the ledger has are left out there.

    Raises:
        PenstockError: the run ended before it could report.
    """
    from deployments.running import failure_of, prefect_api

    start, end = windows[0].interval.bounds()[0], windows[-1].interval.bounds()[1]
    with prefect_api(project):
        from flows.backfill_flow import backfill
        from flows.run_report import find_backfill_report
        from tasks.environment import current_environment

        state = backfill(**parameters, start=start, end=end, return_state=True)
        lake = current_environment(project, connections=()).lake()
        run_id = str(state.state_details.flow_run_id)
        report = find_backfill_report(lake, pipeline.client, pipeline.pipeline, run_id)
    if report is None:
        raise failure_of(state)
    return report


def print_backfill(report: BackfillReport, *, as_json: bool) -> None:
    """Prints how each window ended, and what that comes to."""
    if as_json:
        print(report.model_dump_json(indent=2))
        return
    from rich.markup import escape

    from deployments.display import console, print_table

    rows = []
    for one in report.windows:
        start, end = (_local(moment, one.interval.timezone) for moment in one.interval.bounds())
        rows.append((start, end, one.outcome.replace("_", " "), one.rows, one.error))
    print_table(f"{report.pipeline} on {report.platform}", ("from", "to", "outcome", "rows", "remarks"), rows)
    mark = "[green]ok[/]" if report.is_green else "[bold red]x[/]"
    console().print(f"{mark} {escape(report.summary())}", soft_wrap=True)


def _local(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
