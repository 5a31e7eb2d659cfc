"""Lets a run wait for files: a deployed one frees its worker, one by hand waits where it is.

A deployed run puts itself into a scheduled state (`AwaitingFiles`) with the time of its next look, and ends its process
as a suspended one does. At that time a worker begins the same run again: with the same id, the same parameters and the
same scheduled time, and so the same windows. Prefect's own suspension is no such thing: somebody has to resume it, and
its timeout does not wake the run (3.8).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State, StateDetails, StateType
from prefect.exceptions import Pause
from prefect.runtime import deployment, flow_run

from penstock.plan import DatasetPlan, Decision
from tasks.await_files import Awaited, awaited, look_for_files, wait_of
from tasks.environment import Environment
from tasks.retries import STOPPING

AWAITING_FILES = "AwaitingFiles"
"""Name of the state; its type is `SCHEDULED`, which workers look for, and its runs never count as late."""

logger = logging.getLogger("penstock.wait")


def await_files(decisions: Iterable[Decision], environment: Environment) -> None:
    """Returns when the files of all datasets that wait have come, or the deadlines of those whose have not.

    Raises:
        Pause: the run ends for now, and a worker begins it again (Prefect's signal, which its engine takes).
    """
    STOPPING.clear()  # or a look that fails would not be tried again, where an earlier run of this process was stopped
    waiting = [one for one in decisions if isinstance(one, DatasetPlan) and wait_of(one) is not None]
    while waiting:
        missing = [found for plan in waiting if (found := _look(plan, environment)) is not None]
        if not missing:
            return
        for one in missing:
            logger.info("waiting for %s", one.describe())
        look_again_at = min(one.look_again_at for one in missing)
        if deployment.id is not None:
            _end_for_now(missing, look_again_at)
        time.sleep(max((look_again_at - datetime.now(UTC)).total_seconds(), 0))
        waiting = [one.plan for one in missing]


def _look(plan: DatasetPlan, environment: Environment) -> Awaited | None:
    wait = wait_of(plan)
    if wait is None or awaited(plan, wait, 0, datetime.now(UTC)) is None:
        return None
    return awaited(plan, wait, look_for_files(plan, environment), datetime.now(UTC))


def _end_for_now(missing: list[Awaited], look_again_at: datetime) -> None:
    state: State[None] = State(
        type=StateType.SCHEDULED,
        name=AWAITING_FILES,
        message="; ".join(one.describe() for one in missing),
        state_details=StateDetails(scheduled_time=look_again_at),
    )
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(flow_run.id, state)
    raise Pause("the run waits for files", state=state)
