"""Follows a run of dbt Cloud to its end, and leaves none behind that nobody waits for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from penstock.errors import DataError, PenstockError, TransformError, TransientError
from tasks.dbt_runner.cloud.answers import QUEUED, CloudRun
from tasks.dbt_runner.cloud.api import CloudApi

logger = logging.getLogger("penstock.dbt")

_QUEUE_IS_LONG_SECONDS = 300.0


class Pace(NamedTuple):
    """How long a run is waited for.

    Args:
        poll_seconds: Between two questions.
        deadline_seconds: From when it is followed to when it is cancelled, its time in the queue included.
        wait: Waits so many seconds; returns False where nobody should wait any longer.
    """

    poll_seconds: float
    deadline_seconds: float
    wait: Callable[[float], bool]

    def wait_for(self, seconds: float, run: CloudRun | None = None) -> None:
        """Waits.

        Raises:
            TransformError: Nobody should wait any longer.
        """
        if not self.wait(seconds):
            raise TransformError(
                "the run was stopped before dbt Cloud had built",
                guidance="Run again; what was loaded stays loaded.",
                **(run.facts if run else {}),
            )


def follow(api: CloudApi, run: CloudRun, pace: Pace) -> CloudRun:
    """Returns a run once it has ended.

    An API that does not answer stops nothing: the run goes on without it, and so does the wait for it.

    Raises:
        TransformError: It did not end before the deadline; it is cancelled then, and so it is by an interrupt.
        RejectedError: dbt Cloud refuses to tell.
    """
    logger.info("dbt Cloud: run %d %s, %s", run.id, run.state, run.href or "")
    try:
        return _ended(api, run, pace)
    except BaseException:
        _cancel(api, run)
        raise


def _ended(api: CloudApi, run: CloudRun, pace: Pace) -> CloudRun:
    began, is_long = time.monotonic(), False
    while not run.has_ended:
        spent = time.monotonic() - began
        if spent >= pace.deadline_seconds:
            raise _too_late(run)
        if run.status == QUEUED and spent > _QUEUE_IS_LONG_SECONDS and not is_long:
            is_long = True
            logger.warning(
                "dbt Cloud: run %d is queued since %.0f s: all run slots, or the job, are in use", run.id, spent
            )
        pace.wait_for(min(pace.poll_seconds, pace.deadline_seconds - spent), run)
        now = _asked(api, run, pace)
        if now.status != run.status:
            logger.info("dbt Cloud: run %d %s", run.id, now.state)
        run = now
    return run


def _asked(api: CloudApi, run: CloudRun, pace: Pace) -> CloudRun:
    try:
        return api.run(run.id)
    except (TransientError, DataError) as error:
        logger.warning("dbt Cloud: %s; asking again", error.message_with_facts())
        pause = float(error.facts.get("retry_after_seconds") or 0)
    if pause > pace.poll_seconds:
        pace.wait_for(min(pause, pace.deadline_seconds), run)
    return run


def _too_late(run: CloudRun) -> TransformError:
    if run.status == QUEUED:
        return TransformError(
            "dbt Cloud did not start the run before its deadline",
            guidance="All run slots, or the job, were in use: take another time or job, or raise `dbt.deadline`.",
            **run.facts,
        )
    return TransformError(
        "the run in dbt Cloud did not end before its deadline",
        guidance="Look at the run in dbt Cloud; raise `dbt.deadline` if it needs the time.",
        **run.facts,
    )


def _cancel(api: CloudApi, run: CloudRun) -> None:
    try:
        api.cancel(run.id)
    except PenstockError as error:
        logger.warning("dbt Cloud: run %d could not be cancelled and may go on (%s)", run.id, error.message)
    else:
        logger.warning("dbt Cloud: run %d is cancelled", run.id)
