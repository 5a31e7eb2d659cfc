"""What to look at for one platform: its store, warehouse and dbt project, the connections in use, and Prefect."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import get_args
from urllib.parse import urlsplit

from pydantic import BaseModel

from blocks.resolution import resolve_connection
from deployments.catalog import Catalog, inspect_catalog
from deployments.doctor.side_by_side import Check, CheckResult, run_side_by_side
from deployments.running import prefect_api
from flows.local_server import configured_api_url
from penstock.connections import (
    AnyConnection,
    DuckDBConnection,
    FolderConnection,
    RestConnection,
    S3Connection,
    StoreConnection,
    WarehouseConnection,
)
from penstock.errors import ConfigurationError
from penstock.pipeline import PipelineSpec
from penstock.platform import BlockRef, DbtCloudJob, DbtTarget, PlatformSpec
from tasks.definitions.project import Project
from tasks.definitions.reading import read_platform
from tasks.probing.contract import Seen
from tasks.staging.opening import open_store

_STORES = get_args(StoreConnection)
_WAREHOUSES = get_args(WarehouseConnection)


def examine(project: Project, *, timeout_seconds: float) -> tuple[str, list[CheckResult]]:
    """Returns the chosen platform's name and one result for each thing that it names.

    Args:
        project: Whose platform, which `PENSTOCK_PLATFORM` names (default `local`).
        timeout_seconds: How long each check may take.

    Raises:
        ConfigurationError: there is no such platform.
        DefinitionProblems: the platform file cannot be used as it is.
    """
    catalog = inspect_catalog(project)
    used = _connections_in_use(catalog)
    platform = read_platform(os.environ.get("PENSTOCK_PLATFORM", "local"), project, connections=used)
    checks = [
        _files_check(catalog),
        Check("store", _target(platform.store), partial(_probe_store, platform.store)),
        Check("warehouse", _target(platform.warehouse), partial(_probe_warehouse, platform, timeout_seconds)),
        *_connection_checks(platform, used, timeout_seconds),
        _dbt_check(platform, timeout_seconds),
        *_prefect_checks(platform),
    ]
    with _prefect_for(project, platform):
        return platform.platform, run_side_by_side(checks, timeout_seconds=timeout_seconds)


def _connections_in_use(catalog: Catalog) -> dict[str, list[PipelineSpec]]:
    used: dict[str, list[PipelineSpec]] = {}
    for pipeline in catalog.pipelines:
        names = [instance.connection for instance in pipeline.for_each] or [pipeline.source.connection]
        for name in names:
            used.setdefault(name, []).append(pipeline)
    return used


def _prefect_for(project: Project, platform: PlatformSpec) -> AbstractContextManager[None]:
    """Returns the Prefect API that is looked at; a local server is only started where there are blocks."""
    dbt = [platform.dbt.connection] if isinstance(platform.dbt, DbtCloudJob) else []
    settings = (platform.store, platform.warehouse, *platform.connections.values(), *dbt)
    is_asked = configured_api_url() is not None or any(isinstance(one, BlockRef) for one in settings)
    return prefect_api(project) if is_asked else nullcontext()


def _files_check(catalog: Catalog) -> Check:
    errors = [problem for problem in catalog.problems if problem.is_error]

    def probe() -> Seen:
        if errors:
            raise ConfigurationError(
                "files of the project cannot be used as they are",
                guidance="Run `penstock validate`.",
                errors=len(errors),
            )
        return Seen("valid")

    count = len(catalog.files)
    return Check("files", f"{count} pipeline{'' if count == 1 else 's'}", probe)


def _connection_checks(
    platform: PlatformSpec, used: dict[str, list[PipelineSpec]], timeout_seconds: float
) -> Iterator[Check]:
    for name, pipelines in used.items():
        setting = platform.connections.get(name)
        target = _target(setting) if setting is not None else "not on this platform"
        probe = partial(_probe_connection, platform, name, pipelines, timeout_seconds)
        yield Check(f"connection {name}", target, probe)


def _dbt_check(platform: PlatformSpec, timeout_seconds: float) -> Check:
    dbt = platform.dbt
    if isinstance(dbt, DbtCloudJob):
        return Check("dbt", f"dbt Cloud, job {dbt.job_id}", partial(_probe_dbt_cloud, platform, dbt, timeout_seconds))
    return Check("dbt", dbt.project_dir.name, partial(_probe_dbt, dbt))


def _prefect_checks(platform: PlatformSpec) -> Iterator[Check]:
    url = configured_api_url()
    if url is None:
        yield Check("prefect api", "local", lambda: Seen("none is configured: runs start a local server"))
        return
    from deployments.doctor.prefect_probe import probe_api, probe_work_pool

    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    yield Check("prefect api", f"{parts.hostname}{port}", probe_api)
    if platform.work_pool:
        yield Check("work pool", platform.work_pool, partial(probe_work_pool, platform.work_pool))


def _probe_store(setting: AnyConnection | BlockRef) -> Seen:
    from tasks.probing.store import probe_lake

    return probe_lake(open_store(resolve_connection(setting, "store", accepted=_STORES)))


def _probe_warehouse(platform: PlatformSpec, timeout_seconds: float) -> Seen:
    from tasks.probing.warehouse import probe_warehouse

    connection = resolve_connection(platform.warehouse, "warehouse", accepted=_WAREHOUSES)
    return probe_warehouse(connection, timeout_seconds=timeout_seconds)


def _probe_connection(platform: PlatformSpec, name: str, pipelines: list[PipelineSpec], timeout_seconds: float) -> Seen:
    from tasks.environment import Environment
    from tasks.probing.registry import probe_connection

    datasets = [dataset for pipeline in pipelines for dataset in pipeline.datasets]
    return probe_connection(name, Environment(platform).connection(name), datasets, timeout_seconds=timeout_seconds)


def _probe_dbt(dbt: DbtTarget) -> Seen:
    from tasks.probing.dbt_project import probe_dbt

    return probe_dbt(dbt)


def _probe_dbt_cloud(platform: PlatformSpec, dbt: DbtCloudJob, timeout_seconds: float) -> Seen:
    from tasks.environment import Environment
    from tasks.probing.dbt_cloud import probe_dbt_cloud

    connection = Environment(platform).dbt_cloud()
    seen = probe_dbt_cloud(connection, dbt.job_id, timeout_seconds=timeout_seconds)
    if not isinstance(platform.warehouse, DuckDBConnection):
        return seen
    return Seen(
        f"{seen.note}; dbt Cloud reads no DuckDB file",
        True,
        "Load a warehouse that dbt Cloud reaches, or use dbt Core.",
    )


def _target(setting: BaseModel) -> str:
    """Returns what a person knows a setting by; no user, key or query of an address is in it."""
    if isinstance(setting, BlockRef):
        return setting.block
    if isinstance(setting, S3Connection):
        return f"s3://{setting.bucket}/{setting.prefix}".rstrip("/")
    if isinstance(setting, RestConnection):
        return urlsplit(setting.base_url).netloc
    if isinstance(setting, FolderConnection):
        return setting.path
    return str(getattr(setting, "path", None) or getattr(setting, "host", None) or getattr(setting, "kind", ""))
