"""Builds silver and gold from bronze with dbt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.context import TaskRunContext

from penstock.artifacts import TableRef
from penstock.platform import DbtCloudJob, DbtTarget, PlatformSpec
from penstock.report import TransformReport
from penstock.spec import Artifact
from penstock.transforms import TransformRun, transform_records
from tasks.dbt_runner.build import Watcher, build
from tasks.dbt_runner.cloud.engine import DbtCloud, cloud_job
from tasks.dbt_runner.contract import DbtSelection, Engine
from tasks.dbt_runner.dbt_core import DbtCore, DbtProject
from tasks.dbt_runner.journal import Journal, transform_id
from tasks.definitions.project import find_project
from tasks.environment import Environment, current_environment
from tasks.limits import build_slot
from tasks.node_runs import NodeRuns
from tasks.retries import RETRY_DELAYS_SECONDS, STOPPING, worth_retrying


class TransformRequest(Artifact):
    """What a run's transform builds, and from which tables.

    Args:
        resume: Whether it may go on from what an interrupted or failed transform of the same loads has built.
    """

    client: str
    pipeline: str
    run_id: str
    selection: DbtSelection
    targets: tuple[TableRef, ...] = ()
    resume: bool = True

    @property
    def run(self) -> TransformRun:
        """Whose transform it is."""
        return TransformRun(self.client, self.pipeline, self.run_id)


@task(
    name="dbt build",
    cache_policy=NO_CACHE,
    retries=len(RETRY_DELAYS_SECONDS),
    retry_condition_fn=worth_retrying,
)
def dbt_build(request: TransformRequest) -> TransformReport:
    """Builds what is selected, shows each node as a task run, and records how it ended in `penstock.transforms`."""
    context = TaskRunContext.get()
    flow_run_id = context.task_run.flow_run_id if context else None
    runs = NodeRuns(flow_run_id) if flow_run_id else None
    watcher = Watcher(
        on_event=runs.tell if runs else lambda _event: None,
        on_nodes=runs.settle if runs else lambda _nodes: None,
        wait=lambda seconds: not STOPPING.wait(seconds),
    )
    environment = current_environment(find_project(), connections=())
    with build_slot(environment):
        return build_transform(request, environment, watcher)


def build_transform(request: TransformRequest, environment: Environment, watcher: Watcher) -> TransformReport:
    """Builds what is selected, without Prefect."""
    warehouse, identity = environment.warehouse(), _identity(request, environment)
    if isinstance(environment.platform.dbt, DbtCloudJob):
        cause = f"Penstock: {request.pipeline} of {request.client}, run {request.run_id}, transform {identity}"
        job = cloud_job(environment.platform.dbt, watcher.wait)
        engine: Engine = DbtCloud(environment.dbt_cloud(), job, cause=cause)
    else:
        engine = DbtCore(_project(request, environment.platform, environment.platform.dbt), warehouse.lent_to_process)
    journal = Journal(environment.lake(), f"artifacts/{request.client}/{request.pipeline}/transforms/{identity}")
    report = build(engine, request.selection, journal, watcher, transform_id=identity, resume=request.resume)
    if report.nodes:
        warehouse.record_transform(transform_records(request.run, report, datetime.now(UTC)))
    return report


def _identity(request: TransformRequest, environment: Environment) -> str:
    dbt = environment.platform.dbt
    loads, selected = _last_loads(environment, request.targets), request.selection.model_dump_json()
    if isinstance(dbt, DbtCloudJob):
        return transform_id(loads, selected, None, f"dbt Cloud, job {dbt.job_id}")
    return transform_id(loads, selected, dbt.project_dir, dbt.target)


def _project(request: TransformRequest, platform: PlatformSpec, dbt: DbtTarget) -> DbtProject:
    return DbtProject(
        project_dir=dbt.project_dir,
        profiles_dir=dbt.profiles_dir,
        target=dbt.target,
        # Pipelines that build at once do not share a folder.
        state_dir=platform.home / "dbt" / platform.platform / request.pipeline,
        threads=dbt.threads,
    )


def _last_loads(environment: Environment, targets: Sequence[TableRef]) -> list[str]:
    """Returns the newest batch of each table."""
    if not targets:
        return []
    now = datetime.now(UTC)
    records = environment.warehouse().loads(targets=targets, touching=(now, now))
    return sorted({str(record.target): record.batch_id for record in records}.values())
