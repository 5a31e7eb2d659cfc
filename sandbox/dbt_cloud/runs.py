"""Runs of the emulated dbt Cloud: from the queue over their steps to their end, one state further for each question."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.dbt_cloud.project import StepResult
from sandbox.dbt_cloud.settings import DbtCloudSettings

QUEUED, STARTING, RUNNING, SUCCESS, ERROR, CANCELLED = 1, 2, 3, 10, 20, 30
ENDED = frozenset({SUCCESS, ERROR, CANCELLED})
NAMES = {1: "Queued", 2: "Starting", 3: "Running", 10: "Success", 20: "Error", 30: "Cancelled"}
_PREPARATIONS = ("Clone git repository", "Create profile from connection", "Invoke dbt with `dbt deps`")
_FIRST_RUN = 7_000


@dataclass
class Step:
    """A step of a run; `artifacts` are the files that it left."""

    index: int
    name: str
    status: int = SUCCESS
    logs: str = ""
    artifacts: Mapping[str, bytes] = field(default_factory=dict)


@dataclass
class Run:
    """A run of a job.

    Args:
        asked: The body that triggered it.
        only: The nodes that a retry is about.
    """

    id: int
    job_id: int
    asked: Mapping[str, Any]
    created_at: datetime
    only: Collection[str] | None = None
    status: int = QUEUED
    polls: int = 0
    steps: list[Step] = field(default_factory=list)
    finished_at: datetime | None = None
    work: Future[list[Step]] | None = None

    @property
    def commands(self) -> Sequence[str]:
        """The dbt commands of the run."""
        return self.asked.get("steps_override") or ["dbt build"]

    @property
    def failed_step(self) -> Step | None:
        """The step that failed."""
        return next((step for step in self.steps if step.status == ERROR), None)


class RunBook:
    """All runs of an account."""

    def __init__(self, settings: DbtCloudSettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._workers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="sandbox-dbt-cloud")
        self.runs: dict[int, Run] = {}

    def trigger(self, job_id: int, asked: Mapping[str, Any], only: Collection[str] | None = None) -> Run:
        """Puts a run into the queue."""
        run = Run(_FIRST_RUN + 2 * len(self.runs) + 1, job_id, asked, self._now(), only)
        self.runs[run.id] = run
        return run

    def retry(self, run: Run) -> Run:
        """Puts a run into the queue that goes on from where another has failed; of a build with what is not built."""
        built = next((step.artifacts.get("run_results.json") for step in run.steps if "`dbt build" in step.name), None)
        results = json.loads(built)["results"] if built else []
        only = [one["unique_id"] for one in results if one["status"] not in {"success", "pass"}] if built else None
        return self.trigger(run.job_id, {**run.asked, "cause": f"Retry of run {run.id}"}, only)

    def poll(self, run: Run) -> None:
        """Lets a run go on, as it does between two questions."""
        if run.status in ENDED:
            return
        run.polls += 1
        if run.polls <= self._settings.polls_in_state:
            return
        if run.status == QUEUED and self._may_start(run):
            self._move(run, STARTING)
        elif run.status == STARTING:
            self._move(run, RUNNING)
            run.work = self._workers.submit(self._work, run)
        elif run.status == RUNNING and run.work is not None and run.work.done():
            run.steps = run.work.result()
            self._move(run, ERROR if run.failed_step else SUCCESS)

    def cancel(self, run: Run) -> None:
        """Ends a run that has not ended."""
        if run.status not in ENDED:
            self._move(run, CANCELLED)

    def reset(self) -> None:
        """Forgets all runs."""
        self.runs.clear()
        self._settings.project.reset()

    def _move(self, run: Run, status: int) -> None:
        run.status, run.polls = status, 0
        run.finished_at = self._now() if status in ENDED else None

    def _may_start(self, run: Run) -> bool:
        going = [one for one in self.runs.values() if one.status in {STARTING, RUNNING}]
        return len(going) < self._settings.run_slots and all(one.job_id != run.job_id for one in going)

    def _work(self, run: Run) -> list[Step]:
        steps: list[Step] = []
        failing = self._settings.project.failing_preparation()
        for name in _PREPARATIONS:
            has_failed = failing is not None and failing in name
            steps.append(Step(len(steps) + 1, name, ERROR if has_failed else SUCCESS))
            if has_failed:
                return steps
        for command in run.commands:
            result = self._settings.project.build(shlex.split(command)[2:], only=run.only)
            shown = command if run.only is None else "dbt retry"
            steps.append(_dbt_step(len(steps) + 1, shown, result))
            if not result.succeeded:
                return steps
        if self._settings.jobs[run.job_id].generates_docs:
            # Its results are about the docs: whoever takes the newest files of the run takes these.
            results = json.dumps({"metadata": {}, "results": [], "elapsed_time": 0.1}).encode()
            steps.append(
                _dbt_step(len(steps) + 1, "dbt docs generate", StepResult(True, "", {"run_results.json": results}))
            )
        return steps


def _dbt_step(index: int, command: str, result: StepResult) -> Step:
    status = SUCCESS if result.succeeded else ERROR
    return Step(index, f"Invoke dbt with `{command}`", status, result.logs, result.artifacts)
