"""Makes an extraction ready to COPY: a server-side copy and a small ranged read of each file's header."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from penstock.artifacts import Extraction, StagedBatch
from penstock.plan import DatasetPlan
from tasks.environment import Environment
from tasks.retries import RETRY_DELAYS_SECONDS, worth_retrying
from tasks.staging.manifest import find_latest_staged
from tasks.staging.stage import stage_batch


@task(
    task_run_name="stage {plan.name}",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_condition_fn=worth_retrying,
)
def stage(plan: DatasetPlan, extraction: Extraction, environment: Environment) -> StagedBatch:
    """Stages an extraction's files."""
    return stage_extraction(plan, extraction, environment)


def stage_extraction(plan: DatasetPlan, extraction: Extraction, environment: Environment) -> StagedBatch:
    """Stages an extraction's files without Prefect; with `reuse: stage`, finds those of an earlier run."""
    lake, keys = environment.lake(), plan.batch_keys()
    if plan.request.options.reuse == "stage":
        found = find_latest_staged(lake, keys, extraction)
        if found is not None:
            return found.model_copy(update={"batch_id": plan.batch_id})
    staged = stage_batch(extraction, lake=lake, stores=environment.store, keys=keys)
    return staged.model_copy(update={"batch_id": plan.batch_id})
