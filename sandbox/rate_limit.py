"""A sliding window of accepted calls, in real time: what a vendor's limiter looks like from outside."""

from __future__ import annotations

import time
from collections import deque
from threading import Lock


class RateLimiter:
    """Accepts at most `limit` calls in any `per_seconds` seconds.

    Real seconds, not the sandbox's clock: clients wait in real time.
    """

    def __init__(self, limit: int, *, per_seconds: float) -> None:
        self.limit = limit
        self.per_seconds = per_seconds
        self._lock = Lock()
        self._accepted: deque[float] = deque()

    def try_acquire(self, cost: int = 1) -> bool:
        """Counts one call, and says whether it is within the limit; a refused call is not counted.

        Args:
            cost: What the call counts, for a vendor that weighs calls.
        """
        now = time.monotonic()
        with self._lock:
            self._forget_before(now - self.per_seconds)
            if len(self._accepted) + cost > self.limit:
                return False
            self._accepted.extend([now] * cost)
            return True

    def remaining(self) -> int:
        """Returns how many calls would be accepted now."""
        with self._lock:
            self._forget_before(time.monotonic() - self.per_seconds)
            return self.limit - len(self._accepted)

    def seconds_until_free(self) -> float:
        """Returns how long until one more call would be accepted; 0 when one is accepted now."""
        now = time.monotonic()
        with self._lock:
            self._forget_before(now - self.per_seconds)
            if len(self._accepted) < self.limit:
                return 0.0
            return max(0.0, self._accepted[0] + self.per_seconds - now)

    def reset(self) -> None:
        """Forgets the calls so far."""
        with self._lock:
            self._accepted.clear()

    def _forget_before(self, moment: float) -> None:
        while self._accepted and self._accepted[0] <= moment:
            self._accepted.popleft()
