"""The whole of a deploy: check the files, read the server, plan, send."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from blocks.prefect_failures import asking_prefect
from deployments.catalog import Catalog
from deployments.compile import owner_tags
from deployments.deploy.alerts import plan_alerts
from deployments.deploy.applying import apply_changes
from deployments.deploy.desired import DesiredDeployment, desired_deployments, filler
from deployments.deploy.display import Deployed
from deployments.deploy.limits import plan_limits
from deployments.deploy.planning import plan_changes
from deployments.deploy.sending import Sender, own_retries
from deployments.deploy.server import read_state, read_work_pool
from penstock.errors import ConfigurationError
from penstock.platform import PlatformSpec

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient


class DeployOptions(NamedTuple):
    """What a deploy was asked for; `names` are pipelines, all of them when empty."""

    names: tuple[str, ...] = ()
    is_dry_run: bool = False
    prune: bool = False
    adopt: bool = False
    create_pool: bool = False
    at_once: int | None = None


async def deploy_to_server(catalog: Catalog, platform: PlatformSpec, options: DeployOptions) -> Deployed:
    """Deploys to the Prefect API that the settings name, as `deploy_catalog` does."""
    from prefect.client.orchestration import get_client

    with asking_prefect(quote_answer=True):
        async with get_client() as client:
            return await deploy_catalog(client, catalog, platform, options)


async def deploy_catalog(
    client: PrefectClient, catalog: Catalog, platform: PlatformSpec, options: DeployOptions
) -> Deployed:
    """Makes a server's deployments, automations and limits those of a catalog on a platform.

    Everything is checked before the first request that changes anything. Each deployment stands for itself: the
    outcomes say which landed, and the same call again sends only the rest.

    Args:
        client: Leads to the server.
        catalog: Whose pipelines.
        platform: As its file writes it; references to the environment are resolved here.
        options: What was asked.

    Raises:
        ConfigurationError: a file, an entrypoint, a parameter, the work pool or a block is missing or wrong.
        TransientError: the API cannot be reached.
        RejectedError: the API refused to be read.
    """
    if options.prune and platform.project is None:
        raise ConfigurationError(
            "nothing tells this project's deployments from another's, so none is pruned",
            guidance=f"Set `project` in deployments/platforms/{platform.platform}.yaml, and deploy without --prune.",
            platform=platform.platform,
        )
    desired = desired_deployments(catalog, platform, options.names)
    tags = owner_tags(platform)
    sender = Sender(client, options.at_once)
    with asking_prefect(quote_answer=True), own_retries():
        makes_pool = await _check_pool(sender, platform, desired, create=options.create_pool)
        names = [one.name for one in desired]
        state = await read_state(sender, names, (one.flow for one in desired), tags if options.prune else None)
        alerts = await plan_alerts(sender, platform, prune=options.prune)
        limits = await plan_limits(sender, platform, prune=options.prune)
    changes = plan_changes(desired, state, tags, prune=options.prune, adopt=options.adopt)
    url = str(client.api_url.copy_with(userinfo=b""))
    planned = Deployed(url, platform.platform, options.is_dry_run, changes, alerts, limits, (), makes_pool)
    if options.is_dry_run:
        return planned
    if makes_pool:
        with asking_prefect(quote_answer=True):
            await _create_process_pool(client, makes_pool)
    with own_retries():
        return planned._replace(outcomes=await apply_changes(sender, planned.everything, state.flow_ids))


async def _check_pool(
    sender: Sender, platform: PlatformSpec, desired: Sequence[DesiredDeployment], *, create: bool
) -> str | None:
    """Returns the name of the work pool if it is to be made.

    Raises:
        ConfigurationError: there is none, and it is not to be made; or it does not take the job variables.
    """
    name = _pool_name(platform.work_pool)
    template = await read_work_pool(sender, name, platform.work_pool_type)
    if template is None:
        if create and platform.work_pool_type == "process":
            return name
        by_us = " (or give --create-pool)" if platform.work_pool_type == "process" else ""
        raise ConfigurationError(
            "there is no such work pool on the server",
            guidance=f"Make it with `prefect work-pool create --type {platform.work_pool_type} {name}`{by_us}.",
            work_pool=name,
            platform=platform.platform,
        )
    if desired:
        _check_job_variables(desired[0].settings["job_variables"], template, name)
    return None


def _pool_name(work_pool: str | None) -> str:
    """Returns a work pool's name with its references to the environment resolved."""
    return str(filler(os.environ)(work_pool))


def _check_job_variables(variables: Mapping[str, Any], template: Mapping[str, Any], pool: str) -> None:
    """Raises ConfigurationError: the pool's template says that a variable cannot be so."""
    from prefect.utilities.schema_tools import validate

    schema = template.get("variables")
    problems = validate(dict(variables), schema, preprocess=True, ignore_required=True) if schema else []
    if problems:
        raise ConfigurationError(
            "the work pool does not take the platform's job variables",
            guidance="Compare `job_variables` in the platform file with `prefect work-pool inspect`.",
            work_pool=pool,
            variables=", ".join(".".join(str(part) for part in problem.absolute_path) for problem in problems),
            expected=", ".join(str(problem.validator_value) for problem in problems),
        )


async def _create_process_pool(client: PrefectClient, name: str) -> None:
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.workers.process import ProcessWorker

    template = ProcessWorker.get_default_base_job_template()
    await client.create_work_pool(WorkPoolCreate(name=name, type="process", base_job_template=template))
