"""Runs of one pipeline's deployment: started under an idempotency key, watched, and read from what they leave."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterIdempotencyKey
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from flows.loading import client_flow
from flows.run_report import find_report
from penstock.artifacts import Interval
from penstock.errors import ConfigurationError, PenstockError
from penstock.pipeline import PipelineSpec
from penstock.report import RunReport, TransformReport, WindowReport, window_report
from tasks.definitions.project import Project
from tasks.environment import current_environment
from tasks.staging.contract import ObjectStore

MOST_ATTEMPTS = 100
RUN_TAG = "backfill"

logger = logging.getLogger("penstock.backfill")


class FinishedRun(NamedTuple):
    """A flow run that is over: whether it ended well, what it says, and its report where it left one."""

    run_id: str
    succeeded: bool
    message: str
    report: RunReport | None


class DeploymentRuns:
    """Starts and watches runs of a pipeline's deployment."""

    def __init__(
        self, client: SyncPrefectClient, deployment: DeploymentResponse, pipeline: PipelineSpec, platform: str
    ) -> None:
        self.platform = platform
        self.deployment_id = str(deployment.id)
        self._client = client
        self._deployment = deployment
        self._pipeline = pipeline
        self._lake: ObjectStore | None = None

    @classmethod
    @contextmanager
    def of(cls, project: Project, pipeline: PipelineSpec, platform: str) -> Iterator[DeploymentRuns]:
        """Finds a pipeline's deployment.

        Raises:
            ConfigurationError: there is none, or its runs use another platform than the one whose ledger was asked.
        """
        with get_client(sync_client=True) as client:
            deployment = _find_deployment(client, project, pipeline)
            actual = (deployment.job_variables.get("env") or {}).get("PENSTOCK_PLATFORM", "local")
            if actual != platform:
                raise ConfigurationError(
                    "the deployment runs on another platform than the one whose ledger was asked what is missing",
                    guidance=f"Give `--platform {actual}`, or deploy the pipeline to {platform}.",
                    deployment=deployment.name,
                    deployed_to=actual,
                    asked=platform,
                )
            runs = cls(client, deployment, pipeline, platform)
            runs._lake = current_environment(project, connections=()).lake()
            yield runs

    def at_once(self, asked: int | None, default: int) -> int:
        """Returns how many runs go at once: no more than the deployment lets run, for the others would only queue."""
        own = self._deployment.global_concurrency_limit
        if own is None or not own.active:
            return asked or default
        if asked is not None and asked > own.limit:
            logger.info("the deployment runs %s at once, fewer than the %s asked for", own.limit, asked)
        return min(asked or default, own.limit)

    def start(self, key: str, parameters: dict[str, Any]) -> str:
        """Starts a run, or joins the one under way with the same key; returns its id.

        Two commands that start the same window at the same time get the same run.

        Raises:
            ConfigurationError: it was tried too often.
        """
        keys = [f"{key}-{attempt}" for attempt in range(1, MOST_ATTEMPTS + 1)]
        earlier = self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=keys))
        )
        for run in earlier:
            if not _is_over(run):
                logger.info("a run of this window is under way and is joined: %s", run.name)
                return str(run.id)
        if len(earlier) == MOST_ATTEMPTS:
            raise ConfigurationError(
                "a window has been tried too often",
                guidance="See in the Prefect UI why its runs fail, and delete those runs.",
                attempts=len(earlier),
            )
        run = self._client.create_flow_run_from_deployment(
            self._deployment.id, parameters=parameters, tags=[RUN_TAG], idempotency_key=keys[len(earlier)]
        )
        return str(run.id)

    def ended(self, run_ids: Sequence[str]) -> list[FinishedRun]:
        """Returns those of the runs that are over; one that was deleted is over too."""
        found = {str(run.id): run for run in self._read(run_ids)}
        over = [FinishedRun(one, False, "the run was deleted", None) for one in run_ids if one not in found]
        for run_id, run in found.items():
            if _is_over(run) and run.state is not None:
                message = run.state.message or run.state.name or run.state.type.value
                report = self._report(run_id)
                over.append(FinishedRun(run_id, run.state.is_completed(), message, report))
        return over

    def describe(self, run_ids: Sequence[str]) -> str:
        """Returns how many of the runs are in which state, such as `1 Running, 2 Late`, and where their workers are."""
        counts = Counter((run.state.name if run.state else None) or "unknown" for run in self._read(run_ids))
        states = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        return f"{states} (workers of the pool {self._deployment.work_pool_name} run them)"

    def window_report(self, ended: FinishedRun, interval: Interval) -> WindowReport:
        """Returns how a window's run ended; one that says that all is well but left no report did not land it."""
        datasets = ended.report.datasets if ended.report else ()
        window = window_report(interval, datasets, ended.run_id)
        if ended.succeeded and ended.report is not None:
            return window
        message = ended.message if not ended.succeeded else "the run left no report in the object store"
        return window.model_copy(update={"outcome": "failed", "error": message})

    def transform_report(self, ended: FinishedRun) -> TransformReport:
        """Returns what dbt did in a run."""
        if ended.report is not None and (ended.succeeded or ended.report.transform.outcome == "failed"):
            return ended.report.transform
        return TransformReport(outcome="failed", error=ended.message)

    def _read(self, run_ids: Sequence[str]) -> list[FlowRun]:
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=[UUID(one) for one in run_ids]))
        return list(self._client.read_flow_runs(flow_run_filter=wanted))

    def _report(self, run_id: str) -> RunReport | None:
        if self._lake is None:
            return None
        with contextlib.suppress(PenstockError):  # how the run ended is known without it
            return find_report(self._lake, self._pipeline.client, self._pipeline.pipeline, run_id)
        return None


def _is_over(run: FlowRun) -> bool:
    return run.state is not None and run.state.is_final()


def _find_deployment(client: SyncPrefectClient, project: Project, pipeline: PipelineSpec) -> DeploymentResponse:
    name = f"{client_flow(project, pipeline.client).name}/{pipeline.pipeline}"
    try:
        return client.read_deployment_by_name(name)
    except ObjectNotFound as error:
        raise ConfigurationError(
            "the pipeline has no deployment, so no worker can run it",
            guidance="Deploy it with `penstock deploy`, or run the backfill here, without --on-workers.",
            deployment=name,
            api=str(client.api_url),
        ) from error
