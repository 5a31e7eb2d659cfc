"""Builds silver and gold from bronze with dbt."""

from __future__ import annotations

from prefect import task
from prefect.cache_policies import NO_CACHE

from penstock.report import TransformReport
from tasks.dbt_runner.build import DbtBuild, DbtSelection, build
from tasks.definitions.project import find_project
from tasks.environment import current_environment
from tasks.retries import RETRY_DELAYS_SECONDS, worth_retrying


@task(
    name="dbt build",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_condition_fn=worth_retrying,
)
def dbt_build(selection: DbtSelection, name: str) -> TransformReport:
    """Builds what is selected; only a warehouse that other runs hold for too long is tried again.

    Args:
        selection: What to build.
        name: Whose state folder: pipelines that build at once do not share one.
    """
    environment = current_environment(find_project())
    platform = environment.platform
    request = DbtBuild(
        project_dir=platform.dbt.project_dir,
        profiles_dir=platform.dbt.profiles_dir,
        target=platform.dbt.target,
        state_dir=platform.home / "dbt" / platform.platform / name,
        selection=selection,
        threads=platform.dbt.threads,
    )
    with environment.warehouse().lent_to_process() as variables:
        return build(request, variables)
