"""When a run was meant to happen, which is what its windows are resolved from."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect.runtime import flow_run


def scheduled_time() -> datetime:
    """Returns the flow run's scheduled start in UTC; retries and late runs keep the original one."""
    moment: datetime = flow_run.scheduled_start_time
    # Prefect (3.8) gives pendulum's kind of datetime, which loses the standard UTC when time is added to it.
    return datetime.fromisoformat(moment.isoformat()).astimezone(UTC)


def run_id() -> str:
    """Returns the flow run's id, which stays the same over retries and so finds an earlier attempt's manifests."""
    return str(flow_run.id)
