"""The middle ring of retries: a task waits minutes for what may pass, and never repeats what will fail again.

The rings never multiply: the HTTP client spends seconds inside one attempt, a task spends minutes between attempts,
and flows do not retry at all.
"""

from __future__ import annotations

import logging
import random
import threading
from typing import Any

from penstock.errors import TransientError

RETRY_DELAYS_SECONDS = (15, 60, 240)
RETRY_JITTER_FACTOR = 0.5

STOPPING = threading.Event()
"""Set when a run is interrupted: nobody waits for another attempt then, and no further step begins."""

logger = logging.getLogger("penstock.retry")


def worth_retrying(task: Any, task_run: Any, state: Any) -> bool:
    """Whether a failed attempt may succeed later; the error's type alone decides. Called by Prefect.

    The wait is here and not in Prefect's `retry_delay_seconds`, whose sleep an interrupted run would sit out.
    """
    try:
        state.result()
    except TransientError as error:
        return _waited(task_run.name or task.name, task_run.run_count, error)
    except BaseException:  # noqa: BLE001 - whatever else it was, another attempt would end the same way
        return False
    return False


def _waited(name: str, attempt: int, error: TransientError) -> bool:
    if attempt > len(RETRY_DELAYS_SECONDS):
        return False
    delay = RETRY_DELAYS_SECONDS[attempt - 1] * (1 + random.uniform(0, RETRY_JITTER_FACTOR))  # noqa: S311
    logger.warning("%s: %s - attempt %d follows in %.0f s", name, error, attempt + 1, delay)
    return not STOPPING.wait(delay)
