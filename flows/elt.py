"""The shared body of every client's flow: decide, land each dataset by itself, transform, report."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from prefect import State, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed

from flows.dataset_runners import dataset_runner
from flows.run_report import publish
from flows.scheduled_time import run_id, scheduled_time
from flows.transform_flow import run_transform
from flows.waiting import await_files
from penstock.artifacts import Interval, RunKind
from penstock.backfill import refuse_future
from penstock.errors import PenstockError
from penstock.naming import dbt_source
from penstock.pipeline import PipelineSpec, expand
from penstock.plan import DatasetPlan, Decision, RunOptions, RunRequest, Skip, select_datasets
from penstock.report import DatasetReport, RunReport, TransformReport
from penstock.strategy import LoadStrategy
from penstock.window import TimeWindow
from tasks.dbt_runner.contract import DbtSelection
from tasks.definitions.project import find_project
from tasks.definitions.reading import find_pipeline, read_pipeline
from tasks.environment import Environment, current_environment
from tasks.land import land, want_progress
from tasks.retries import RETRY_DELAYS_SECONDS, STOPPING, worth_retrying
from tasks.transform import TransformRequest
from tasks.warehouses.contract import Warehouse
from tasks.warehouses.deciding import decide_by_ledger, decide_windows

logger = logging.getLogger("penstock.run")


def run_pipeline(
    pipeline: str,
    options: RunOptions,
    *,
    window: TimeWindow | None = None,
    load_strategy: LoadStrategy | None = None,
    datasets: Sequence[str] | None = None,
    transform: bool = True,
) -> State[Any]:
    """Runs a pipeline inside a flow run and returns the state that the flow must end in.

    A dataset that fails does not stop the others; a run in which anything failed is `Failed`, and says what and why.

    Args:
        pipeline: Name of a pipeline of the project, or the path of its file.
        options: What a run by hand may ask besides.
        window: Another time window than the file's.
        load_strategy: Another load strategy than the file's.
        datasets: Only these datasets; an empty list means all, as a form sends it.
        transform: Whether dbt runs afterwards.
    """
    if options.at is not None:
        refuse_future(options.at, datetime.now(UTC))
    report = run_to_report(
        RunRequest(
            pipeline=pipeline,
            scheduled_at=options.at or scheduled_time(),
            run_id=run_id(),
            # A window of the run's own says nothing of where the next scheduled run goes on.
            run_kind=RunKind.FORWARD if window is None else RunKind.BACKFILL,
            window=window,
            load_strategy=load_strategy,
            datasets=tuple(datasets) if datasets else None,
            transform=transform,
            options=options,
        )
    )
    return Completed(message=report.summary()) if report.is_green else Failed(message=report.summary())


def run_to_report(request: RunRequest) -> RunReport:
    """Runs a pipeline inside a flow run and returns what happened; the report is published too.

    Raises:
        ConfigurationError: the pipeline or the platform cannot be run as written; nothing was read or written.
    """
    started_at = datetime.now(UTC)
    want_progress()
    pipeline, environment = read_definitions(request.pipeline, request.datasets)
    decisions = decide_run(pipeline, request, environment)
    await_files(decisions, environment)
    datasets = land_all(decisions, environment)
    report = RunReport(
        client=pipeline.client,
        pipeline=pipeline.pipeline,
        platform=environment.platform.platform,
        run_id=request.run_id,
        run_kind=request.run_kind,
        scheduled_at=request.scheduled_at,
        started_at=started_at,
        datasets=datasets,
        transform=transform_loaded(pipeline, request, datasets),
        finished_at=datetime.now(UTC),
    )
    publish(report, environment.lake())
    return report


def read_definitions(pipeline: str, datasets: Sequence[str] | None = None) -> tuple[PipelineSpec, Environment]:
    """Reads a pipeline (by name or path) and the platform that `PENSTOCK_PLATFORM` names (default `local`).

    Of the platform's connections only those of the asked datasets (all without names) are read, so that a variable that
    another pipeline needs may be unset.
    """
    project = find_project()
    definition = read_pipeline(find_pipeline(pipeline, project))
    used = {dataset.connection for dataset in select_datasets(definition, datasets)}
    return definition, current_environment(project, connections=used)


@task(
    name="plan",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_condition_fn=worth_retrying,
)
def decide_run(pipeline: PipelineSpec, request: RunRequest, environment: Environment) -> tuple[Decision, ...]:
    """Asks the ledger what is loaded, and decides what each dataset does in this run."""
    return decide_by_ledger(pipeline, request, _current_warehouse(environment))


@task(
    name="plan",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_condition_fn=worth_retrying,
)
def decide_windows_of_run(
    pipeline: PipelineSpec, request: RunRequest, intervals: Sequence[Interval], environment: Environment
) -> tuple[tuple[Decision, ...], ...]:
    """Asks the ledger what is loaded, and decides what each dataset does in each of several windows."""
    return decide_windows(pipeline, request, intervals, _current_warehouse(environment))


def _current_warehouse(environment: Environment) -> Warehouse:
    warehouse = environment.warehouse()
    warehouse.migrate()
    return warehouse


def land_all(decisions: Iterable[Decision], environment: Environment) -> tuple[DatasetReport, ...]:
    """Lands the datasets side by side, and returns one report each, in order, whatever happened to any of them."""
    decided = list(decisions)
    if all(isinstance(one, Skip) for one in decided):
        return tuple(_skipped(one) for one in decided if isinstance(one, Skip))
    STOPPING.clear()
    with dataset_runner(environment.platform) as submit, _stopping_what_waits():
        pending: list[DatasetReport | tuple[DatasetPlan, PrefectFuture[DatasetReport]]] = []
        for decision in decided:
            if isinstance(decision, Skip):
                pending.append(_skipped(decision))
            else:
                pending.append((decision, submit(land, {"plan": decision, "environment": environment})))
        return tuple(one if isinstance(one, DatasetReport) else _landed(*one) for one in pending)


@contextmanager
def _stopping_what_waits() -> Iterator[None]:
    """Lets an interrupt end the datasets' tasks too: the runner waits for its threads before the run can end."""
    try:
        yield
    except BaseException:
        STOPPING.set()
        raise


def transform_loaded(pipeline: PipelineSpec, request: RunRequest, datasets: Iterable[DatasetReport]) -> TransformReport:
    """Runs dbt over what this run's tables lead to, unless the run asked for no transform."""
    if not request.transform:
        return TransformReport(outcome="not_run")
    reports = list(datasets)
    targets = {one.name: one.target for one in expand(pipeline)}
    return run_transform(
        TransformRequest(
            client=pipeline.client,
            pipeline=pipeline.pipeline,
            run_id=request.run_id,
            selection=dbt_selection(pipeline, reports),
            targets=tuple(targets[one.dataset] for one in reports),
            # What was asked for again is built again.
            resume=not request.loads_again,
        )
    )


def dbt_selection(pipeline: PipelineSpec, datasets: Iterable[DatasetReport]) -> DbtSelection:
    """Returns what dbt builds after a run: the file's own selection, or (`auto`) all downstream of the tables at hand.

    What is downstream of a dataset that failed is left as it is: it would mix that dataset's old rows with new ones.
    The tables of the dbt source are named like the datasets, with their instance (`deployments/dbt_sources.py`).
    """
    select = pipeline.transform.select
    reports = list(datasets)
    present = [one.dataset for one in reports if one.outcome != "failed" and one.has_rows]
    if select == "none" or not present:
        return DbtSelection()
    if select != "auto":
        return DbtSelection(select=tuple(select), must_select=True)
    source = dbt_source(pipeline.client, pipeline.source.kind)
    failed = [one.dataset for one in reports if one.outcome == "failed"]
    return DbtSelection(
        select=tuple(f"source:{source}.{name}+" for name in present),
        exclude=tuple(f"source:{source}.{name}+" for name in failed),
    )


def _skipped(decision: Skip) -> DatasetReport:
    logger.info("%s: %s", decision.dataset, decision.reason.replace("_", " "))
    return DatasetReport(
        dataset=decision.dataset,
        target=str(decision.target),
        outcome=decision.reason,
        interval=decision.interval,
        has_rows=decision.has_rows,
    )


def _landed(plan: DatasetPlan, future: PrefectFuture[DatasetReport]) -> DatasetReport:
    """Waits for one dataset; its failure becomes its report, for the others go on."""
    result: object
    try:
        result = future.result(raise_on_failure=False)
    except Exception as raised:  # noqa: BLE001 - a task that Prefect could not run is a failed dataset, not a failed run
        result = raised
    if isinstance(result, DatasetReport):
        return result
    if isinstance(result, PenstockError):
        text, guidance = result.message_with_facts(), result.guidance
    else:  # its words are not ours, and might hold a row or a secret
        text, guidance = f"an unexpected {type(result).__name__}", "Its trace is in the run's log in the Prefect UI."
    logger.error("%s: %s", plan.name, text)
    return DatasetReport(
        dataset=plan.name,
        target=str(plan.dataset.target),
        outcome="failed",
        interval=plan.interval,
        batch_id=plan.batch_id,
        error_kind=type(result).__name__,
        error=text,
        guidance=guidance,
    )
