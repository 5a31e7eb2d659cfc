"""The shared body of every client's flow: decide, land each dataset by itself, transform, report."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from prefect import State, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.run_report import publish
from flows.scheduled_time import run_id, scheduled_time
from flows.transform_flow import run_transform
from penstock.errors import PenstockError
from penstock.pipeline import PipelineSpec
from penstock.plan import DatasetPlan, Decision, RunOptions, RunRequest, Skip, decide, select_datasets
from penstock.report import DatasetReport, RunReport, TransformReport
from penstock.strategy import LoadStrategy
from penstock.window import TimeWindow
from tasks.definitions.project import find_project
from tasks.definitions.reading import find_pipeline, read_pipeline, read_platform
from tasks.environment import Environment
from tasks.land import land
from tasks.retries import RETRY_DELAYS_SECONDS, RETRY_JITTER_FACTOR, worth_retrying

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
    report = run_to_report(
        RunRequest(
            pipeline=pipeline,
            scheduled_at=options.at or scheduled_time(),
            run_id=run_id(),
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
    pipeline, environment = read_definitions(request.pipeline)
    datasets = land_all(decide_run(pipeline, request, environment), environment)
    report = RunReport(
        client=pipeline.client,
        pipeline=pipeline.pipeline,
        platform=environment.platform.platform,
        run_id=request.run_id,
        run_kind=request.run_kind,
        scheduled_at=request.scheduled_at,
        started_at=started_at,
        datasets=datasets,
        transform=transform_loaded(pipeline, request, datasets, environment),
        finished_at=datetime.now(UTC),
    )
    publish(report, environment.lake())
    return report


def read_definitions(pipeline: str) -> tuple[PipelineSpec, Environment]:
    """Reads a pipeline (by name or path) and the platform that `PENSTOCK_PLATFORM` names (default `local`)."""
    project = find_project()
    platform = read_platform(os.environ.get("PENSTOCK_PLATFORM", "local"), project)
    return read_pipeline(find_pipeline(pipeline, project)), Environment(platform)


@task(
    name="plan",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_delay_seconds=list(RETRY_DELAYS_SECONDS),
    retry_jitter_factor=RETRY_JITTER_FACTOR,
    retry_condition_fn=worth_retrying,
)
def decide_run(pipeline: PipelineSpec, request: RunRequest, environment: Environment) -> tuple[Decision, ...]:
    """Asks the ledger what is loaded, and decides what each dataset does in this run."""
    warehouse = environment.warehouse()
    warehouse.migrate()
    targets = [dataset.target for dataset in select_datasets(pipeline, request.datasets)]
    records = warehouse.loads(targets=targets)
    return decide(pipeline, request, {target: [row for row in records if row.target == target] for target in targets})


def land_all(decisions: Iterable[Decision], environment: Environment) -> tuple[DatasetReport, ...]:
    """Lands the datasets side by side, and returns one report each, in order, whatever happened to any of them."""
    runner: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=environment.platform.parallel_datasets)
    with runner:
        pending: list[DatasetReport | tuple[DatasetPlan, PrefectFuture[DatasetReport]]] = []
        for decision in decisions:
            if isinstance(decision, Skip):
                pending.append(_skipped(decision))
            else:
                pending.append((decision, runner.submit(land, {"plan": decision, "environment": environment})))
        return tuple(one if isinstance(one, DatasetReport) else _landed(*one) for one in pending)


def transform_loaded(
    pipeline: PipelineSpec, request: RunRequest, datasets: Iterable[DatasetReport], environment: Environment
) -> TransformReport:
    """Runs dbt over what this run's tables lead to; a dataset that failed is left out, and the run is not green."""
    selectors = dbt_selectors(pipeline, datasets) if request.transform else ()
    return run_transform(selectors, environment, pipeline.pipeline)


def dbt_selectors(pipeline: PipelineSpec, datasets: Iterable[DatasetReport]) -> tuple[str, ...]:
    """Returns dbt's selection for a run: the file's own, or (`auto`) all that is downstream of the tables at hand.

    The dbt source of a client's Gladly data is `<client>_gladly`, and its tables are named like the datasets.
    """
    select = pipeline.transform.select
    if select == "none":
        return ()
    if select != "auto":
        return tuple(select)
    source = f"{pipeline.client.replace('-', '_')}_{pipeline.source.kind}"
    present = [one.dataset for one in datasets if one.outcome in {"loaded", "already_loaded"}]
    return tuple(f"source:{source}.{name}+" for name in present)


def _skipped(decision: Skip) -> DatasetReport:
    logger.info("%s: %s", decision.dataset, decision.reason.replace("_", " "))
    return DatasetReport(
        dataset=decision.dataset, target=str(decision.target), outcome=decision.reason, interval=decision.interval
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
    guidance = result.guidance if isinstance(result, PenstockError) else None
    text = result.message_with_facts() if isinstance(result, PenstockError) else str(result)
    logger.error("%s: %s", plan.name, result)
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
