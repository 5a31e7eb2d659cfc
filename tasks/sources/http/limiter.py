"""Pace: everything in this process that uses one connection shares its limits and its pauses."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from penstock.connections import RateLimit
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock

EVERY_REQUEST = "requests"
"""Name of the budget that all requests of a connection count against."""


class Budget(NamedTuple):
    """What a connection allows for one class of requests."""

    limit: RateLimit | None = None
    concurrent: int | None = None


class _SlidingWindow:
    """The times of the newest starts: at most `requests` of them lie in any `seconds`.

    A request that costs more than one counts as so many that start together.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._seconds = limit.seconds
        self._starts: deque[float] = deque(maxlen=limit.requests)

    def wait_seconds(self, now: float, cost: int) -> float:
        capacity = self._starts.maxlen or 0
        lacking = min(cost, capacity) - (capacity - len(self._starts))
        return 0.0 if lacking <= 0 else self._starts[lacking - 1] + self._seconds - now

    def start(self, now: float, cost: int) -> None:
        self._starts.extend([now] * cost)


class RateLimiter:
    """Holds requests back until the connection's budgets have room; safe across threads.

    Args:
        budgets: By name. `EVERY_REQUEST` counts all requests, another name those that ask for it as well.
    """

    def __init__(self, budgets: Mapping[str, Budget], *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._paused_until = float("-inf")
        self._windows = {name: _SlidingWindow(budget.limit) for name, budget in budgets.items() if budget.limit}
        self._places = {
            name: threading.BoundedSemaphore(budget.concurrent)
            for name, budget in budgets.items()
            if budget.concurrent is not None
        }

    @contextmanager
    def slot(self, budget: str = EVERY_REQUEST, *, cost: int = 1) -> Iterator[None]:
        """Waits until one more request may start, and keeps its place among concurrent ones until the block ends.

        Args:
            budget: The one that it counts against beside that of all requests.
            cost: What it counts in both.
        """
        names = {EVERY_REQUEST, budget}
        places = [self._places[name] for name in sorted(names) if name in self._places]
        for place in places:
            place.acquire()
        try:
            self._wait_for_room([self._windows[name] for name in names if name in self._windows], cost)
            yield
        finally:
            for place in places:
                place.release()

    def pause(self, seconds: float) -> None:
        """Keeps every user of the connection from starting a request for so long."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def _wait_for_room(self, windows: list[_SlidingWindow], cost: int) -> None:
        while (seconds := self._take(windows, cost)) > 0:
            self._clock.sleep(seconds)

    def _take(self, windows: list[_SlidingWindow], cost: int) -> float:
        """Takes a place in all windows and returns 0, or takes none and returns how long to wait."""
        with self._lock:
            now = self._clock.monotonic()
            wait = max([self._paused_until - now, *(window.wait_seconds(now, cost) for window in windows)])
            if wait <= 0:
                for window in windows:
                    window.start(now, cost)
            return wait


_limiters: dict[tuple[object, ...], RateLimiter] = {}
_limiters_lock = threading.Lock()


def shared_limiter(
    connection_name: str, host: str, budgets: Mapping[str, Budget], *, clock: Clock = SYSTEM_CLOCK
) -> RateLimiter:
    """Returns the one limiter of a connection in this process."""
    key = (connection_name, host, tuple(sorted(budgets.items())), clock)
    with _limiters_lock:
        if key not in _limiters:
            _limiters[key] = RateLimiter(budgets, clock=clock)
        return _limiters[key]
