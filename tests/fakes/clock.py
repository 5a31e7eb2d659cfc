"""A clock that only moves when something sleeps on it."""

from __future__ import annotations

import threading

from tasks.sources.http.policy import Clock


class FakeTime:
    """Time that passes by sleeping, and how long each sleep was."""

    def __init__(self, wall: float = 1_774_008_000.0) -> None:
        self.slept: list[float] = []
        self._lock = threading.Lock()
        self._now = 1_000.0
        offset = wall - self._now
        self.clock = Clock(monotonic=self.now, wall=lambda: self._now + offset, sleep=self.sleep)

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now += seconds
