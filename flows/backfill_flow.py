"""Runs a pipeline over a range of time, window by window, leaving out what the ledger already has."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from prefect import State, flow
from prefect.states import Completed, Failed
from pydantic import AwareDatetime

from flows.elt import decide_run, land_all, read_definitions, transform_loaded
from flows.scheduled_time import run_id, scheduled_time
from penstock.artifacts import Interval, RunKind
from penstock.backfill import cut, refuse_future
from penstock.errors import ConfigurationError
from penstock.pipeline import PipelineSpec
from penstock.plan import RunOptions, RunRequest, backfill_zone, explicit_window, select_datasets
from penstock.report import DatasetReport, TransformReport
from penstock.window import Duration
from tasks.environment import Environment

logger = logging.getLogger("penstock.backfill")


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
    definition, environment = read_definitions(pipeline, datasets)
    request = RunRequest(
        pipeline=pipeline,
        scheduled_at=scheduled_time(),
        run_id=run_id(),
        run_kind=RunKind.BACKFILL,
        datasets=tuple(datasets) if datasets else None,
        transform=transform,
        options=options,
    )
    refuse_future(end, request.scheduled_at)
    _refuse_unread_windows(definition, request)
    windows = cut(start, end, every, backfill_zone(definition, request.datasets))
    return _end_state(*_run_windows(definition, environment, request, windows), len(windows))


def _run_windows(
    pipeline: PipelineSpec, environment: Environment, request: RunRequest, windows: Sequence[Interval]
) -> tuple[list[DatasetReport], TransformReport, int]:
    """Runs window after window until one has a failure; returns all reports, dbt's, and how many windows ended well."""
    each_window = any(_replaces_all(request, dataset) for dataset in select_datasets(pipeline, request.datasets))
    reports: list[DatasetReport] = []
    transform = TransformReport(outcome="not_run")
    for done, interval in enumerate(windows):
        landed = _run_window(pipeline, environment, request, interval)
        reports.extend(landed)
        logger.info("window %s of %s ended (from %s)", done + 1, len(windows), interval.start)
        last = done + 1 == len(windows) or any(report.outcome == "failed" for report in landed)
        if last or each_window:
            transform = transform_loaded(pipeline, request, landed if each_window else _latest(reports))
        unread = each_window and transform.outcome != "built"
        if any(report.outcome == "failed" for report in landed) or transform.outcome == "failed" or unread:
            return reports, transform, done
    return reports, transform, len(windows)


def _refuse_unread_windows(pipeline: PipelineSpec, request: RunRequest) -> None:
    """Checks that no window is replaced by the next one before a transform has read it.

    Raises:
        ConfigurationError: a dataset is replaced whole by each window, and nothing reads it in between.
    """
    replaced = [one.name for one in select_datasets(pipeline, request.datasets) if _replaces_all(request, one)]
    if replaced and (not request.transform or pipeline.transform.select == "none"):
        raise ConfigurationError(
            "each window would replace the one before it, and no transform reads it in between",
            guidance="Let dbt run (transform), or load these datasets with another strategy.",
            pipeline=pipeline.pipeline,
            datasets=", ".join(replaced),
        )


def _replaces_all(request: RunRequest, dataset: Any) -> bool:
    return (request.load_strategy or dataset.load_strategy).kind == "full_refresh"


def _run_window(
    pipeline: PipelineSpec, environment: Environment, request: RunRequest, interval: Interval
) -> tuple[DatasetReport, ...]:
    start, end = interval.bounds()
    asked = request.model_copy(update={"window": explicit_window(start, end, interval.timezone)})
    return land_all(decide_run(pipeline, asked, environment), environment)


def _latest(reports: Sequence[DatasetReport]) -> list[DatasetReport]:
    """Returns one report a dataset: dbt builds what is downstream of a table once."""
    return list({report.dataset: report for report in reports if report.outcome != "failed"}.values())


def _end_state(reports: Sequence[DatasetReport], transform: TransformReport, done: int, asked: int) -> State[Any]:
    loaded = sum(report.outcome == "loaded" for report in reports)
    rows = sum(report.result.rows_landed for report in reports if report.result)
    text = f"{done} of {asked} windows; {loaded} loads, {rows:,} rows"
    failed = [report for report in reports if report.outcome == "failed"]
    if failed or transform.outcome == "failed" or done < asked:
        why = "; ".join(f"{report.dataset}: {report.error}" for report in failed) or f"transform: {transform.error}"
        return Failed(message=f"{text}. Stopped: {why}. The same backfill without --reload goes on from here.")
    return Completed(message=text)
