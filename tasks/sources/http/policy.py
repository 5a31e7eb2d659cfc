"""How long the HTTP ring of retries tries: seconds inside one attempt of a task, never minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

CONNECT_TIMEOUT_SECONDS = 10.0
RENEW_TOKEN_BEFORE_SECONDS = 60.0
"""An OAuth token is renewed this long before it expires, or after four fifths of a shorter life."""

MAX_REDIRECTS = 5


class RetryPolicy(NamedTuple):
    """When a request is sent again, and when its failure is handed to the task ring.

    Backoff is exponential with full jitter (a random time up to the current step), as in AWS's "Exponential Backoff
    And Jitter". A `Retry-After` is waited for exactly, up to `longest_pause_seconds`; a longer one is not worth holding
    a worker for. Without one, a 429 is waited for at least `shortest_limited_pause_seconds`. A body that came whole but
    makes no sense gets fewer attempts: it is more often wrong than unlucky.
    """

    attempts: int = 6
    unreadable_attempts: int = 3
    first_backoff_seconds: float = 1.0
    longest_backoff_seconds: float = 30.0
    longest_pause_seconds: float = 120.0
    shortest_limited_pause_seconds: float = 0.0
    deadline_seconds: float = 600.0


STANDARD = RetryPolicy()


class Clock(NamedTuple):
    """Time as the client sees it; another one makes waiting free in tests."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


SYSTEM_CLOCK = Clock()
