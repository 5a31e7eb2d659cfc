"""Loads a staged batch into its bronze table, in one transaction with its ledger row."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from penstock.artifacts import Extraction, LoadResult, StagedBatch
from penstock.plan import DatasetPlan
from tasks.environment import Environment
from tasks.retries import RETRY_DELAYS_SECONDS, worth_retrying
from tasks.staging.stage import check_staged


@task(
    task_run_name="load {plan.name}",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_condition_fn=worth_retrying,
)
def load(plan: DatasetPlan, extraction: Extraction, staged: StagedBatch, environment: Environment) -> LoadResult:
    """Loads a staged batch as its plan says."""
    return load_staged(plan, extraction, staged, environment)


def load_staged(plan: DatasetPlan, extraction: Extraction, staged: StagedBatch, environment: Environment) -> LoadResult:
    """Loads a staged batch without Prefect.

    Raises:
        DataError: a staged file is not what was staged (a source that writes in place changes a hard link with it).
    """
    check_staged(staged, environment.lake())
    return environment.warehouse().load(plan.load_plan(extraction.extracted_at), staged, environment.lake())
