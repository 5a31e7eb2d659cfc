from __future__ import annotations

import threading

from deployments.doctor.side_by_side import MOST_AT_ONCE, Check, run_side_by_side
from penstock.errors import RejectedError
from tasks.probing.contract import Seen


def test_results_come_in_the_order_of_the_checks_whatever_becomes_of_each() -> None:
    never = threading.Event()

    def hang() -> Seen:
        never.wait(30)
        return Seen("too late")

    def refuse() -> Seen:
        raise RejectedError("the other side said no", guidance="Ask for the right.", right="read")

    def break_down() -> Seen:
        raise KeyError("never-to-be-seen")

    checks = [
        Check("hangs", "a", hang),
        Check("well", "b", lambda: Seen("fine")),
        Check("doubtful", "c", lambda: Seen("paused", True, "Resume it.")),
        Check("refused", "d", refuse),
        Check("broken", "e", break_down),
    ]
    results = run_side_by_side(checks, timeout_seconds=0.3)
    never.set()
    assert [(one.check, one.outcome) for one in results] == [
        ("hangs", "failed"),
        ("well", "ok"),
        ("doubtful", "doubtful"),
        ("refused", "failed"),
        ("broken", "failed"),
    ]
    assert results[0].error == "there was no answer in time (waited_seconds=0.3)"
    assert results[3].error == "the other side said no (right=read)"
    assert (results[2].seen, results[2].guidance) == ("paused", "Resume it.")
    assert "never-to-be-seen" not in str(results[4])


def test_checks_that_hang_make_room_for_those_that_wait() -> None:
    never = threading.Event()

    def hang() -> Seen:
        never.wait(30)
        return Seen("too late")

    checks = [Check(f"hangs {number}", "", hang) for number in range(MOST_AT_ONCE)]
    results = run_side_by_side([*checks, Check("last", "", lambda: Seen("fine"))], timeout_seconds=0.2)
    never.set()
    assert [one.outcome for one in results] == ["failed"] * MOST_AT_ONCE + ["ok"]
