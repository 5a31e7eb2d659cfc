"""Runs the windows of a backfill as runs of the pipeline's deployment, on its workers, and waits for them.

Nothing is kept but what Prefect and the ledger have anyway. A window that the ledger has is left out; a window whose
run is under way (of this command, killed before, or of another one) is joined: its run is found by its idempotency key.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from deployments.backfilling import BackfillWindow
from penstock.artifacts import Interval
from penstock.backfill import must_go_in_order, replaces_all
from penstock.errors import ConfigurationError
from penstock.pipeline import PipelineSpec
from penstock.plan import explicit_window, select_datasets
from penstock.report import BackfillReport, TransformReport, WindowReport
from tasks.definitions.project import Project

if TYPE_CHECKING:
    from deployments.deployment_runs import DeploymentRuns

DEFAULT_AT_ONCE = 4
POLL_SECONDS = 2.0
TELL_AGAIN_SECONDS = 60.0

logger = logging.getLogger("penstock.backfill")


class WindowRuns(NamedTuple):
    """What is asked of each window's run, and how many go at once (None: the deployment's own limit, or four)."""

    datasets: Sequence[str] | None
    transform: bool
    reload: bool
    limit: int | None = None

    def parameters(self, pipeline: str, interval: Interval, *, transform: bool, reload: bool) -> dict[str, Any]:
        """Returns a run's parameters; a run with a window of its own never moves the forward position."""
        start, end = interval.bounds()
        return {
            "pipeline": pipeline,
            "window": explicit_window(start, end, interval.timezone).model_dump(mode="json"),
            "datasets": list(self.datasets) if self.datasets else None,
            "transform": transform,
            "options": {"reload": reload},
        }


def backfill_on_workers(
    project: Project, pipeline: PipelineSpec, windows: Sequence[BackfillWindow], asked: WindowRuns
) -> BackfillReport:
    """Runs those windows that the ledger lacks on workers, then dbt once; stops starting new ones after a failure.

    Where each window replaces the whole table, its own run transforms it; where what is loaded last wins, one window
    is run at a time, the oldest first.

    Raises:
        ConfigurationError: there is no Prefect API, no deployment of the pipeline, or it runs on another platform.
    """
    from deployments.running import prefect_api
    from flows.backfill_flow import refuse_unread_windows
    from flows.local_server import configured_api_url

    refuse_unread_windows(pipeline, asked.datasets, transform=asked.transform)
    if configured_api_url() is None:
        raise ConfigurationError(
            "workers need a Prefect API that they and this command share",
            guidance="Set PREFECT_API_URL, or choose a profile with `prefect profile use`.",
        )
    started_at = datetime.now(UTC)
    with prefect_api(project):
        from deployments.deployment_runs import DeploymentRuns

        with DeploymentRuns.of(project, pipeline, os.environ.get("PENSTOCK_PLATFORM", "local")) as runs:
            reports = _run_windows(runs, pipeline, windows, asked)
            built = _transform(runs, pipeline, reports, asked)
    return BackfillReport(
        client=pipeline.client,
        pipeline=pipeline.pipeline,
        platform=runs.platform,
        run_id=None,
        scheduled_at=started_at,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        windows=tuple(reports),
        transform=built,
    )


def run_key(deployment: str, parameters: dict[str, Any]) -> str:
    """Returns what the idempotency keys of all attempts at one window begin with."""
    meaning = json.dumps([deployment, parameters], sort_keys=True)
    return f"penstock-backfill-{hashlib.sha256(meaning.encode()).hexdigest()[:32]}"


def _run_windows(
    runs: DeploymentRuns, pipeline: PipelineSpec, windows: Sequence[BackfillWindow], asked: WindowRuns
) -> list[WindowReport]:
    strategies = [dataset.load_strategy for dataset in select_datasets(pipeline, asked.datasets)]
    each_transforms = asked.transform and replaces_all(strategies)
    in_order = must_go_in_order(strategies)
    at_once = 1 if in_order else runs.at_once(asked.limit, DEFAULT_AT_ONCE)
    if in_order and (asked.limit or 1) > 1:
        logger.info("windows are run one at a time: what is loaded last wins in these tables")
    needed = [index for index, one in enumerate(windows) if asked.reload or one.missing]
    reports = [
        WindowReport(interval=one.interval, outcome="not_started" if index in set(needed) else "already_loaded")
        for index, one in enumerate(windows)
    ]
    waiting, under_way, told_at = deque(needed), dict[str, int](), time.monotonic()
    while waiting or under_way:
        failed = any(report.outcome == "failed" for report in reports)
        while waiting and len(under_way) < at_once and not failed:
            index = waiting.popleft()
            parameters = asked.parameters(
                pipeline.pipeline, windows[index].interval, transform=each_transforms, reload=asked.reload
            )
            under_way[runs.start(run_key(runs.deployment_id, parameters), parameters)] = index
        if not under_way:
            break
        for ended in runs.ended(list(under_way)):
            index = under_way.pop(ended.run_id)
            reports[index] = runs.window_report(ended, windows[index].interval)
            logger.info("%s: %s (%s under way)", _label(windows[index]), reports[index].outcome, len(under_way))
            told_at = time.monotonic()
        if under_way and time.monotonic() - told_at > TELL_AGAIN_SECONDS:
            logger.info("waiting for %s", runs.describe(list(under_way)))
            told_at = time.monotonic()
        time.sleep(POLL_SECONDS if under_way else 0)
    return reports


def _transform(
    runs: DeploymentRuns, pipeline: PipelineSpec, reports: Sequence[WindowReport], asked: WindowRuns
) -> TransformReport:
    """Runs dbt over the whole range, in a run that finds everything loaded; nothing where a window failed."""
    strategies = [dataset.load_strategy for dataset in select_datasets(pipeline, asked.datasets)]
    ended_well = all(report.outcome not in {"failed", "not_started"} for report in reports)
    if not asked.transform or pipeline.transform.select == "none" or replaces_all(strategies) or not ended_well:
        return TransformReport(outcome="not_run")
    first, last = reports[0].interval, reports[-1].interval
    whole = Interval(start=first.start, end=last.end, timezone=first.timezone, as_of=last.as_of)
    parameters = asked.parameters(pipeline.pipeline, whole, transform=True, reload=False)
    logger.info("all windows are loaded; dbt runs")
    run_id = runs.start(run_key(runs.deployment_id, parameters), parameters)
    while not (ended := runs.ended([run_id])):
        time.sleep(POLL_SECONDS)
    return runs.transform_report(ended[0])


def _label(window: BackfillWindow) -> str:
    start, _ = window.interval.bounds()
    return f"window from {start:%Y-%m-%d %H:%M} UTC"
