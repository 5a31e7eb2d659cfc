"""Datadog's limits: so many calls of an endpoint in each period of the calendar, told by every answer."""

from __future__ import annotations

import math
import time
from threading import Lock


class CalendarLimiter:
    """Accepts so many calls in each period, whose edges are multiples of its length; in real seconds."""

    def __init__(self, name: str, limit: int, *, period_seconds: int) -> None:
        self._name = name
        self._limit = limit
        self._period = period_seconds
        self._lock = Lock()
        self._current = 0
        self._used = 0

    def try_acquire(self) -> bool:
        """Counts one call, and says whether it is within the limit."""
        with self._lock:
            current = int(time.time()) // self._period
            if current != self._current:
                self._current, self._used = current, 0
            self._used += 1
            return self._used <= self._limit

    def headers(self) -> dict[str, str]:
        """Returns what every answer says of the limit."""
        reset = self._period - time.time() % self._period
        return {
            "X-RateLimit-Limit": str(self._limit),
            "X-RateLimit-Period": str(self._period),
            "X-RateLimit-Remaining": str(max(self._limit - self._used, 0)),
            "X-RateLimit-Reset": str(math.ceil(reset)),
            "X-RateLimit-Name": self._name,
        }

    def reset(self) -> None:
        """Forgets the calls so far."""
        with self._lock:
            self._used = 0
