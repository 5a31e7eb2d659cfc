"""Compiles pipeline files to prefect.yaml: one deployment each, the same text for the same files on any machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import yaml

from deployments.catalog import Catalog
from deployments.platform_checks import require_connections
from penstock.errors import ConfigurationError
from penstock.pipeline import PipelineSpec
from penstock.platform import PlatformSpec
from penstock.schedule import ScheduleSpec
from tasks.definitions.client_flows import flow_entrypoint
from tasks.definitions.references import replace_references

MANAGED_TAG = "managed-by:penstock"
"""Marks the deployments that are ours to change and to prune."""

PULL_STEP = "deployments.project_step.enter_project"

IMAGE_STEP = "prefect.deployments.steps.set_working_directory"
IMAGE_PROJECT = "/opt/penstock"
"""Where the image of our Dockerfile has the project."""

Fill = Callable[[Any], Any]
"""What becomes of the references to the environment in a work pool's settings."""

_HEADER = """\
# Compiled by `penstock compile` from deployments/; edit the files there. CI checks that both agree.
# Deploy with `penstock deploy`; `prefect deploy --all` makes the same deployments, but removes nothing.
"""


def compile_prefect_yaml(catalog: Catalog, platform: PlatformSpec) -> str:
    """Returns the text of prefect.yaml for a platform.

    Raises:
        ConfigurationError: the platform has no work pool.
    """
    document: dict[str, Any] = {
        "name": "penstock",
        "build": None,
        "push": None,
        "pull": pull_steps(platform),
        "deployments": compile_deployments(catalog, platform),
    }
    return _HEADER + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def pull_steps(platform: PlatformSpec) -> list[dict[str, Any]]:
    """Returns how a run finds the project: a process looks for it on its machine, an image has it in a known place."""
    if platform.work_pool_type == "process":
        return [{PULL_STEP: {}}]
    return [{IMAGE_STEP: {"directory": IMAGE_PROJECT}}]


def owner_tags(platform: PlatformSpec) -> tuple[str, ...]:
    """Returns the tags that mark a deployment as ours, of this project on this platform."""
    project = (f"project:{platform.project}",) if platform.project else ()
    return MANAGED_TAG, f"platform:{platform.platform}", *project


def compile_deployments(catalog: Catalog, platform: PlatformSpec, fill: Fill | None = None) -> list[dict[str, Any]]:
    """Returns the deployments of all pipelines on a platform, by name, as prefect.yaml has them.

    Args:
        catalog: Whose pipelines.
        platform: Where they run; its references to the environment as they are written.
        fill: What becomes of these references; by default they become Prefect's own, which it resolves when it deploys.

    Raises:
        ConfigurationError: the platform has no work pool, or lacks a connection that a pipeline names.
    """
    if platform.work_pool is None:
        raise ConfigurationError(
            "the platform has no work pool, so nothing can be deployed there",
            guidance=f"Set `work_pool` in deployments/platforms/{platform.platform}.yaml.",
            platform=platform.platform,
        )
    require_connections(catalog.pipelines, platform)
    pipelines = sorted(catalog.pipelines, key=lambda pipeline: pipeline.pipeline)
    fill = fill or _templated
    pool = {"name": fill(platform.work_pool), "job_variables": fill(_job_variables(platform))}
    return [{**_deployment(pipeline, platform), "work_pool": pool} for pipeline in pipelines]


def _deployment(pipeline: PipelineSpec, platform: PlatformSpec) -> dict[str, Any]:
    tags = {*pipeline.tags, *platform.tags, f"client:{pipeline.client}", *owner_tags(platform)}
    return {
        "name": pipeline.pipeline,
        "version": version_of(pipeline),
        "description": pipeline.description or f"The pipeline {pipeline.pipeline} of {pipeline.client}.",
        "tags": sorted(tags),
        "entrypoint": flow_entrypoint(pipeline.client),
        "parameters": {"pipeline": pipeline.pipeline},
        "schedules": [_schedule(number, one) for number, one in enumerate(pipeline.schedules, start=1)],
        "concurrency_limit": {"limit": platform.concurrent_runs, "collision_strategy": "ENQUEUE"},
    }


def version_of(pipeline: PipelineSpec) -> str:
    """Returns a version that changes whenever what the pipeline file means does."""
    meaning = json.dumps(pipeline.model_dump(mode="json", exclude_unset=True), sort_keys=True)
    return f"sha-{hashlib.sha256(meaning.encode()).hexdigest()[:12]}"


def _schedule(number: int, schedule: ScheduleSpec) -> dict[str, Any]:
    """Returns a schedule under a slug that stays when its time changes, so that Prefect updates it in place.

    `active` is only there where the file says it: without it, a schedule that was paused by hand stays paused.
    """
    compiled = {"slug": schedule.name or f"schedule-{number}", "cron": schedule.cron, "timezone": schedule.timezone}
    return {**compiled, "active": schedule.active} if "active" in schedule.model_fields_set else compiled


def _job_variables(platform: PlatformSpec) -> dict[str, Any]:
    variables = dict(platform.job_variables)
    if platform.image is not None:
        variables["image"] = platform.image
    # Without the second, nothing that Penstock logs would reach Prefect.
    own = {"PENSTOCK_PLATFORM": platform.platform, "PREFECT_LOGGING_EXTRA_LOGGERS": "penstock"}
    variables["env"] = {**(variables.get("env") or {}), **own}
    return variables


def _templated(value: Any) -> Any:
    """Returns a value with `${NAME}` as Prefect writes it, which is resolved when deployments are made.

    Prefect's templates know no default: a reference that has one becomes its default.
    """
    if isinstance(value, dict):
        return {key: _templated(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_templated(one) for one in value]
    if isinstance(value, str):
        return replace_references(value, lambda name, default: f"{{{{ ${name} }}}}" if default is None else default)
    return value
