"""Builds silver and gold from bronze with dbt."""

from __future__ import annotations

from collections.abc import Sequence

from prefect import task
from prefect.cache_policies import NO_CACHE

from penstock.report import TransformReport
from tasks.dbt_runner.build import DbtBuild, build
from tasks.environment import Environment
from tasks.retries import RETRY_DELAYS_SECONDS, RETRY_JITTER_FACTOR, worth_retrying


@task(
    name="dbt build",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_delay_seconds=list(RETRY_DELAYS_SECONDS),
    retry_jitter_factor=RETRY_JITTER_FACTOR,
    retry_condition_fn=worth_retrying,
)
def dbt_build(selectors: Sequence[str], environment: Environment, name: str) -> TransformReport:
    """Builds what the selectors name; bad data is not tried again, an unavailable warehouse is.

    Args:
        selectors: dbt's own selection syntax, one each.
        environment: Whose warehouse.
        name: Whose state folder: pipelines that build at once do not share one.
    """
    platform = environment.platform
    request = DbtBuild(
        project_dir=platform.dbt.project_dir,
        profiles_dir=platform.dbt.profiles_dir,
        target=platform.dbt.target,
        state_dir=platform.home / "dbt" / platform.platform / name,
        selectors=tuple(selectors),
        threads=platform.dbt.threads,
    )
    with environment.warehouse().lent_to_process() as variables:
        return build(request, variables)
