from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.connections import RateLimit
from tasks.sources.http.limiter import EVERY_REQUEST, Budget, RateLimiter, shared_limiter
from tests.fakes.clock import FakeTime


def _limiter(time: FakeTime, requests: int, seconds: float) -> RateLimiter:
    return RateLimiter({EVERY_REQUEST: Budget(RateLimit(requests=requests, seconds=seconds))}, clock=time.clock)


def _start_times(limiter: RateLimiter, time: FakeTime, count: int, budget: str = EVERY_REQUEST) -> list[float]:
    starts = []
    for _ in range(count):
        with limiter.slot(budget):
            starts.append(time.now())
    return starts


@given(st.lists(st.integers(1, 20), min_size=1, max_size=40), st.integers(20, 60))
def test_no_window_ever_holds_more_than_is_allowed_where_requests_are_weighed(costs: list[int], limit: int) -> None:
    time = FakeTime()
    limiter = _limiter(time, limit, 60.0)
    starts = []
    for cost in costs:
        with limiter.slot(cost=cost):
            starts += [time.now()] * cost
    for earlier, later in zip(starts, starts[limit:], strict=False):
        assert later - earlier >= 60 - 1e-6
    if sum(costs) <= limit:
        assert time.slept == []


@given(st.integers(1, 7), st.floats(0.5, 60), st.lists(st.floats(0, 20), min_size=1, max_size=40))
def test_no_window_of_the_length_ever_holds_more_requests_than_allowed(
    requests: int, seconds: float, gaps: list[float]
) -> None:
    time = FakeTime()
    limiter = _limiter(time, requests, seconds)
    starts = []
    for gap in gaps:
        time.sleep(gap)
        with limiter.slot():
            starts.append(time.now())
    for earlier, later in zip(starts, starts[requests:], strict=False):
        assert later - earlier >= seconds - 1e-6


def test_requests_start_as_early_as_the_window_allows() -> None:
    time = FakeTime()
    starts = _start_times(_limiter(time, 3, 10.0), time, 7)
    assert [start - starts[0] for start in starts] == [0, 0, 0, 10, 10, 10, 20]


def test_a_pause_holds_back_every_user_of_the_connection() -> None:
    time = FakeTime()
    limiter = RateLimiter({"reports": Budget(RateLimit(requests=10, seconds=60))}, clock=time.clock)
    began = time.now()
    limiter.pause(30)
    assert _start_times(limiter, time, 1) == [began + 30]
    assert _start_times(limiter, time, 1, "reports") == [began + 30]


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    time = FakeTime()
    limiter = _limiter(time, 100, 1.0)
    began = time.now()
    limiter.pause(30)
    limiter.pause(5)
    assert _start_times(limiter, time, 1) == [began + 30]


def test_a_request_counts_against_its_own_budget_and_against_that_of_all_requests() -> None:
    time = FakeTime()
    budgets = {
        EVERY_REQUEST: Budget(RateLimit(requests=2, seconds=1)),
        "reports": Budget(RateLimit(requests=1, seconds=60)),
    }
    limiter = RateLimiter(budgets, clock=time.clock)
    began = time.now()
    assert _start_times(limiter, time, 1, "reports") == [began]
    assert _start_times(limiter, time, 2) == [began, began + 1]
    assert _start_times(limiter, time, 1, "reports") == [began + 60]


def test_no_more_requests_run_at_once_than_the_budget_has_places() -> None:
    limiter = RateLimiter({"reports": Budget(concurrent=2)})
    running, most, lock = 0, 0, threading.Lock()
    third_may_go = threading.Event()

    def ask() -> None:
        nonlocal running, most
        with limiter.slot("reports"):
            with lock:
                running += 1
                most = max(most, running)
            third_may_go.wait(0.05)
            with lock:
                running -= 1

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_place_is_free_again_after_a_request_failed() -> None:
    limiter = RateLimiter({"reports": Budget(concurrent=1)})
    for _ in range(3):
        with pytest.raises(OSError, match="broken"), limiter.slot("reports"):
            raise OSError("broken")


def test_threads_share_one_window() -> None:
    time = FakeTime()
    limiter = _limiter(time, 5, 1.0)
    starts: list[float] = []

    def ask() -> None:
        for _ in range(10):
            with limiter.slot():
                starts.append(time.now())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(starts) == 40
    assert time.now() - 1_000.0 >= 7.0


def test_one_connection_has_one_limiter_in_the_process_and_another_has_its_own() -> None:
    budgets = {EVERY_REQUEST: Budget(RateLimit(requests=3, seconds=1.0))}
    limiter = shared_limiter("acme-crm", "api.example.com", budgets)
    assert shared_limiter("acme-crm", "api.example.com", dict(budgets)) is limiter
    assert shared_limiter("other-crm", "api.example.com", budgets) is not limiter
    assert shared_limiter("acme-crm", "eu.example.com", budgets) is not limiter


def test_starts_never_go_back_in_time() -> None:
    time = FakeTime()
    starts = _start_times(_limiter(time, 2, 0.3), time, 20)
    assert all(later >= earlier for earlier, later in pairwise(starts))
