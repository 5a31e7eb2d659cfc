"""The middle ring of retries: a task waits minutes for what may pass, and never repeats what will fail again.

The rings never multiply: the HTTP client spends seconds inside one attempt, a task spends minutes between attempts,
and flows do not retry at all.
"""

from __future__ import annotations

from typing import Any

from penstock.errors import TransientError

RETRY_DELAYS_SECONDS = (15, 60, 240)
RETRY_JITTER_FACTOR = 0.5


def worth_retrying(_task: Any, _task_run: Any, state: Any) -> bool:
    """Whether a failed attempt may succeed later; the error's type alone decides. Called by Prefect."""
    try:
        state.result()
    except TransientError:
        return True
    except BaseException:  # noqa: BLE001 - whatever else it was, another attempt would end the same way
        return False
    return False
