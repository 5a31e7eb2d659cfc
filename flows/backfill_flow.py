"""Runs a pipeline over a range of time, window by window, leaving out what the ledger already has."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from prefect import State, flow
from prefect.states import Completed, Failed
from pydantic import AwareDatetime

from flows.elt import decide_windows_of_run, land_all, read_definitions, transform_loaded
from flows.run_report import publish_backfill
from flows.scheduled_time import run_id, scheduled_time
from penstock.artifacts import Interval, RunKind
from penstock.backfill import cut, refuse_future, replaces_all
from penstock.errors import ConfigurationError
from penstock.pipeline import PipelineSpec
from penstock.plan import Decision, RunOptions, RunRequest, backfill_zone, select_datasets
from penstock.report import BackfillReport, DatasetReport, TransformReport, WindowReport, window_report
from penstock.window import Duration
from tasks.environment import Environment

logger = logging.getLogger("penstock.backfill")

_DECIDED_AT_ONCE = 100
"""Windows for which the ledger is read once; those of a resumed backfill that it has pass by in no time."""


@flow(name="backfill", flow_run_name="backfill {pipeline}")
def backfill(
    pipeline: str,
    start: AwareDatetime,
    end: AwareDatetime,
    every: Duration = "1d",
    datasets: list[str] | None = None,
    transform: bool = True,
    options: RunOptions = RunOptions(),
) -> State[Any]:
    """Loads `[start, end)` in windows; run again, it goes on where it stopped. It never moves the forward position.

    Args:
        pipeline: Name of a pipeline of the project, or the path of its file.
        start: Where the first window begins.
        end: Where the last window ends.
        every: Length of a window; days are local days of the pipeline's zone.
        datasets: Only these datasets; all of them when left empty.
        transform: Whether dbt runs: at the end, or after each window where a load replaces the whole table.
        options: What a run by hand may ask besides.
    """
    started_at = datetime.now(UTC)
    if options.at is not None:
        refuse_future(options.at, started_at)
    definition, environment = read_definitions(pipeline, datasets)
    request = RunRequest(
        pipeline=pipeline,
        scheduled_at=options.at or scheduled_time(),
        run_id=run_id(),
        run_kind=RunKind.BACKFILL,
        datasets=tuple(datasets) if datasets else None,
        transform=transform,
        options=options,
    )
    refuse_future(end, request.scheduled_at)
    refuse_unread_windows(definition, request.datasets, transform=transform)
    windows = cut(start, end, every, backfill_zone(definition, request.datasets))
    reports, built = _run_windows(definition, environment, request, windows)
    report = BackfillReport(
        client=definition.client,
        pipeline=definition.pipeline,
        platform=environment.platform.platform,
        run_id=request.run_id,
        scheduled_at=request.scheduled_at,
        started_at=started_at,
        finished_at=datetime.now(UTC),
        windows=tuple(reports),
        transform=built,
    )
    publish_backfill(report, environment.lake())
    return Completed(message=report.summary()) if report.is_green else Failed(message=report.summary())


def refuse_unread_windows(pipeline: PipelineSpec, datasets: Sequence[str] | None, *, transform: bool) -> None:
    """Checks that no window is replaced by the next one before a transform has read it.

    Raises:
        ConfigurationError: a dataset is replaced whole by each window, and nothing reads it in between.
    """
    replaced = [one.name for one in select_datasets(pipeline, datasets) if replaces_all([one.load_strategy])]
    if replaced and (not transform or pipeline.transform.select == "none"):
        raise ConfigurationError(
            "each window would replace the one before it, and no transform reads it in between",
            guidance="Let dbt run (transform), or load these datasets with another strategy.",
            pipeline=pipeline.pipeline,
            datasets=", ".join(replaced),
        )


def _run_windows(
    pipeline: PipelineSpec, environment: Environment, request: RunRequest, windows: Sequence[Interval]
) -> tuple[list[WindowReport], TransformReport]:
    """Runs window after window until one has a failure; returns a report of each, and dbt's."""
    each_window = replaces_all(one.load_strategy for one in select_datasets(pipeline, request.datasets))
    reports = [WindowReport(interval=interval, outcome="not_started") for interval in windows]
    transform = TransformReport(outcome="not_run")
    landed: list[DatasetReport] = []
    for number, (interval, decisions) in enumerate(_decided(pipeline, environment, request, windows)):
        report = window_report(interval, land_all(decisions, environment))
        landed.extend(report.datasets)
        logger.info("window %s of %s ended (from %s)", number + 1, len(windows), interval.start)
        is_last = number + 1 == len(windows) or report.outcome == "failed"
        if is_last or each_window:
            transform = transform_loaded(pipeline, request, report.datasets if each_window else _latest(landed))
        if each_window and transform.outcome != "built" and report.outcome != "failed":
            why = transform.error or "dbt built nothing from it, and the next window would replace it"
            report = report.model_copy(update={"outcome": "failed", "error": f"transform: {why}"})
        reports[number] = report
        if report.outcome == "failed" or transform.outcome == "failed":
            break
    return reports, transform


def _decided(
    pipeline: PipelineSpec, environment: Environment, request: RunRequest, windows: Sequence[Interval]
) -> Iterator[tuple[Interval, tuple[Decision, ...]]]:
    """Yields windows with what is decided of them; what was loaded since by another run is not loaded again."""
    for first in range(0, len(windows), _DECIDED_AT_ONCE):
        some = windows[first : first + _DECIDED_AT_ONCE]
        yield from zip(some, decide_windows_of_run(pipeline, request, some, environment), strict=True)


def _latest(reports: Sequence[DatasetReport]) -> list[DatasetReport]:
    """Returns one report a dataset: dbt builds what is downstream of a table once."""
    return list({report.dataset: report for report in reports if report.outcome != "failed"}.values())
