"""The API's objects as JSON: accounts, jobs, runs and their steps."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sandbox.dbt_cloud.runs import CANCELLED, ENDED, ERROR, NAMES, SUCCESS, Run, Step
from sandbox.dbt_cloud.settings import DBT_CLOUD_ACCOUNT_ID, DbtCloudSettings, JobSettings

_ENVIRONMENT_ID = 5
_PROJECT_ID = 9


def account_view(settings: DbtCloudSettings) -> dict[str, Any]:
    """Returns the account."""
    return {
        "id": DBT_CLOUD_ACCOUNT_ID,
        "name": "Penstock's sandbox",
        "state": 1,
        "locked": settings.is_locked,
        "run_slots": settings.run_slots,
    }


def job_view(job_id: int, job: JobSettings) -> dict[str, Any]:
    """Returns a job."""
    return {
        "id": job_id,
        "account_id": DBT_CLOUD_ACCOUNT_ID,
        "project_id": _PROJECT_ID,
        "environment_id": _ENVIRONMENT_ID,
        "name": job.name,
        "state": job.state,
        "deactivated": job.deactivated,
        "generate_docs": job.generates_docs,
        "execute_steps": ["dbt build"],
    }


def run_view(run: Run, related: Collection[str], url: str) -> dict[str, Any]:
    """Returns a run, with its steps and its trigger where they were asked for."""
    failed = run.failed_step
    view: dict[str, Any] = {
        "id": run.id,
        "trigger_id": run.id + 1,
        "account_id": DBT_CLOUD_ACCOUNT_ID,
        "environment_id": _ENVIRONMENT_ID,
        "project_id": _PROJECT_ID,
        "job_definition_id": run.job_id,
        "job_id": run.job_id,
        "status": run.status,
        "status_humanized": NAMES[run.status],
        "status_message": "dbt command failed" if failed and "`dbt" in failed.name else None,
        "artifacts_saved": any(step.artifacts for step in run.steps),
        "created_at": _moment(run.created_at),
        "finished_at": _moment(run.finished_at),
        "in_progress": run.status not in ENDED,
        "is_complete": run.status in ENDED,
        "is_success": run.status == SUCCESS,
        "is_error": run.status == ERROR,
        "is_cancelled": run.status == CANCELLED,
        "can_retry": run.status == ERROR,
        "href": f"{url}/deploy/{DBT_CLOUD_ACCOUNT_ID}/projects/{_PROJECT_ID}/runs/{run.id}",
    }
    if "run_steps" in related:
        view["run_steps"] = [step_view(step, run) for step in run.steps] if run.status in ENDED else []
    if "trigger" in related:
        view["trigger"] = {"id": run.id + 1, **run.asked}
    return view


def step_view(step: Step, run: Run) -> dict[str, Any]:
    """Returns a step of a run."""
    return {
        "id": run.id * 100 + step.index,
        "run_id": run.id,
        "index": step.index,
        "name": step.name,
        "status": step.status,
        "status_humanized": NAMES[step.status],
        "logs": step.logs,
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S.%f+00:00")
