"""Takes one dataset all the way into bronze: extract, stage, load, as steps of one task."""

from __future__ import annotations

import logging
import time

from prefect import task
from prefect.cache_policies import NO_CACHE

from penstock.plan import DatasetPlan
from penstock.report import DatasetReport
from penstock.wording import counted
from tasks.environment import Environment
from tasks.extract import extract
from tasks.load import load
from tasks.retries import STOPPING
from tasks.stage import stage

logger = logging.getLogger("penstock.land")


@task(task_run_name="{plan.name}", cache_policy=NO_CACHE)
def land(plan: DatasetPlan, environment: Environment) -> DatasetReport:
    """Lands one dataset; each step retries by itself, so this task does not.

    Raises:
        InterruptedError: the run is being stopped; a new run goes on from what is complete.
        PenstockError: a step failed; the other datasets of the run are not touched by it.
    """
    want_progress()
    began = time.monotonic()
    extraction = extract(plan, environment)
    _go_on(plan)
    staged = stage(plan, extraction, environment)
    _go_on(plan)
    result = load(plan, extraction, staged, environment)
    logger.info("%s: %s into %s (%s)", plan.name, counted(result.rows_landed, "row"), result.target, result.outcome)
    return DatasetReport(
        dataset=plan.name,
        target=str(result.target),
        outcome=result.outcome,
        interval=plan.interval,
        batch_id=plan.batch_id,
        result=result,
        size_bytes=staged.size_bytes,
        seconds=time.monotonic() - began,
        warnings=(*extraction.warnings, *result.warnings),
    )


def want_progress() -> None:
    """Lets Penstock's loggers tell progress where nothing else says what they tell: on a worker, in a Dask process."""
    if not logging.getLogger("penstock").level:
        logging.getLogger("penstock").setLevel(logging.INFO)


def _go_on(plan: DatasetPlan) -> None:
    if STOPPING.is_set():
        raise InterruptedError(f"the run was stopped before {plan.name} was loaded")
