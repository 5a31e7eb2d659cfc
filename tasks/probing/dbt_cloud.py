"""Whether dbt Cloud takes the token, and has the job that builds; starts no run."""

from __future__ import annotations

from penstock.connections import DbtCloudConnection
from tasks.dbt_runner.cloud.api import CloudApi
from tasks.probing.contract import Seen
from tasks.sources.http.policy import RetryPolicy


def probe_dbt_cloud(connection: DbtCloudConnection, job_id: int, *, timeout_seconds: float) -> Seen:
    """Asks for the job, and whether the account is locked where the token may see it.

    Raises:
        PenstockError: dbt Cloud cannot be reached, refuses the token, or does not run the job.
    """
    with CloudApi(connection, policy=RetryPolicy(attempts=1), timeout_seconds=timeout_seconds) as api:
        job = api.job(job_id)
        api.raise_if_locked()
    return Seen(f"job {job.name or job.id}; whether the token may run it shows in the first run")
