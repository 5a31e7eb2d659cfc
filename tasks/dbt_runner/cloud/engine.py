"""Builds by runs of a dbt Cloud job, each of which is told what to build.

dbt Cloud fetches the project's code by itself when a run starts, so nobody knows beforehand which project a run will
build: what an earlier run has built may be of other code. This engine is therefore no `ResumableEngine`. Within one
build, failed nodes are retried by another run with exactly those nodes, because dbt Cloud's own retry repeats failed
tests and errors of SQL, too. Its own retry is right where a run failed before dbt began: it goes on from the step that
failed, with the same settings, and there is no node to name yet.
"""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from penstock.connections import DbtCloudConnection
from penstock.errors import DataError, TransformError, TransientError
from penstock.platform import DbtCloudJob
from penstock.window import parse_duration
from tasks.dbt_runner.arguments import build_arguments
from tasks.dbt_runner.cloud.answers import CANCELLED, SUCCESS, CloudRun
from tasks.dbt_runner.cloud.api import CloudApi
from tasks.dbt_runner.cloud.following import Pace, follow
from tasks.dbt_runner.cloud.results import read_results, reason_of, tell
from tasks.dbt_runner.contract import DbtSelection, EngineRun
from tasks.dbt_runner.events import Event
from tasks.sources.http.policy import STANDARD, SYSTEM_CLOCK, Clock

logger = logging.getLogger("penstock.dbt")

PREPARATION_RETRY_DELAYS_SECONDS = (5.0, 30.0)
"""Pauses before dbt Cloud repeats a run that failed before dbt began."""

TRIGGER_DELAYS_SECONDS = (2.0, 10.0, 30.0, 60.0)
"""Pauses before a request for a run is repeated that was not answered."""


class CloudJob(NamedTuple):
    """A job, and what its runs are told; None leaves a setting as the job's environment has it."""

    job_id: int
    pace: Pace
    target: str | None = None
    schema_override: str | None = None
    threads: int | None = None

    def settings(self, command: str, cause: str) -> dict[str, Any]:
        """Returns the body that triggers a run."""
        overrides = {
            "target_name_override": self.target,
            "schema_override": self.schema_override,
            "threads_override": self.threads,
        }
        given = {name: value for name, value in overrides.items() if value is not None}
        return {"cause": cause, "steps_override": [command], **given}


def cloud_job(spec: DbtCloudJob, wait: Callable[[float], bool]) -> CloudJob:
    """Returns a platform's job.

    Args:
        spec: What the platform says of it.
        wait: Waits so many seconds; returns False where nobody should wait any longer.
    """
    deadline = parse_duration(spec.deadline)
    seconds = timedelta(days=deadline.days, minutes=deadline.minutes).total_seconds()
    pace = Pace(spec.poll_seconds, seconds, wait)
    return CloudJob(spec.job_id, pace, spec.target, spec.schema_override, spec.threads)


class DbtCloud:
    """Runs dbt in dbt Cloud; see `tasks.dbt_runner.contract`.

    Args:
        connection: The account.
        job: The job, and how its runs are waited for.
        cause: Why runs are triggered; the same for each attempt of a task, so that it finds the run of an earlier one.
        clock: Of the HTTP client's retries.
    """

    def __init__(
        self, connection: DbtCloudConnection, job: CloudJob, *, cause: str, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._connection = connection
        self._job = job
        self._cause = cause
        self._clock = clock
        self._builds = 0

    def build(self, selection: DbtSelection, on_event: Callable[[Event], None], *, exactly: bool = False) -> EngineRun:
        """Builds a selection with its tests; see `tasks.dbt_runner.contract`.

        Raises:
            RejectedError: dbt Cloud refuses the token, the job or the run.
            TransformError: The run was cancelled, did not end in time, or could not be prepared.
            TransientError: dbt Cloud cannot be reached.
        """
        self._builds += 1
        command = shlex.join(["dbt", "build", *build_arguments(selection, exactly=exactly)])
        with CloudApi(self._connection, policy=STANDARD, clock=self._clock) as api:
            api.job(self._job.job_id)
            run = self._prepared(api, self._followed(api, self._started(api, command)))
            results = read_results(api, run, self._job.pace, hidden=[os.environ.get("PENSTOCK_PII_SALT", "")])
        tell(results.nodes, on_event)
        return EngineRun(
            nodes=results.nodes,
            graph=results.graph,
            succeeded=run.status == SUCCESS,
            error=reason_of(run),
            log=run.href or f"run {run.id} in dbt Cloud",
            artifacts=results.artifacts,
        )

    def _started(self, api: CloudApi, command: str) -> CloudRun:
        """Returns the run that an earlier attempt has started and that is worth following, or a new one."""
        digest = sha256(command.encode()).hexdigest()[:8]
        cause = f"{self._cause}, build {self._builds} ({digest})"
        known = api.runs_with(cause, self._job.job_id)
        for run in known:
            if not run.has_ended or run.status == SUCCESS:
                logger.info("dbt Cloud: run %d was started by an earlier attempt", run.id)
                return run
        return self._triggered(api, self._job.settings(command, cause), {run.id for run in known})

    def _triggered(self, api: CloudApi, settings: dict[str, Any], known: set[int]) -> CloudRun:
        """Triggers a run once, however often it takes: one whose answer was lost is found by its cause."""
        for delay in TRIGGER_DELAYS_SECONDS:
            try:
                return api.trigger(self._job.job_id, settings)
            except (TransientError, DataError) as error:
                logger.warning("dbt Cloud: %s; looking whether a run was started", error.message_with_facts())
                pause = max(delay, float(error.facts.get("retry_after_seconds") or 0))
            self._job.pace.wait_for(pause)
            for run in api.runs_with(settings["cause"], self._job.job_id):
                if run.id not in known:
                    return run
        return api.trigger(self._job.job_id, settings)

    def _followed(self, api: CloudApi, run: CloudRun) -> CloudRun:
        ended = follow(api, run, self._job.pace)
        if ended.status == CANCELLED:
            raise TransformError(
                "the run was cancelled in dbt Cloud",
                guidance="Run again to build; what was loaded stays loaded.",
                **ended.facts,
            )
        return api.run(ended.id, related="run_steps")

    def _prepared(self, api: CloudApi, run: CloudRun) -> CloudRun:
        """Returns a run in which dbt began, after letting dbt Cloud repeat one that failed before."""
        for delay in PREPARATION_RETRY_DELAYS_SECONDS:
            if not run.failed_before_dbt or not run.can_retry:
                break
            step = run.failed_step
            logger.warning(
                "dbt Cloud: %s failed, dbt Cloud tries again in %.0f s", step.name if step else run.id, delay
            )
            self._job.pace.wait_for(delay, run)
            run = self._followed(api, api.retry(run.id))
        if run.failed_before_dbt:
            raise TransformError(
                "dbt Cloud could not prepare the run",
                guidance="Look at the step in dbt Cloud; nothing was built.",
                step=run.failed_step.name if run.failed_step else None,
                reason=reason_of(run),
                **run.facts,
            )
        return run
