"""Runs many checks at once, each with a limit of its own; one that hangs holds up no other."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from penstock.errors import PenstockError
from penstock.spec import Artifact
from tasks.probing.contract import Seen

MOST_AT_ONCE = 16
_POLL_SECONDS = 0.02


class Check(NamedTuple):
    """One thing to look at: what it is, what it leads to, and the probe."""

    name: str
    target: str
    probe: Callable[[], Seen]


class CheckResult(Artifact):
    """What came of a check."""

    check: str
    target: str
    outcome: Literal["ok", "doubtful", "failed"]
    seconds: float
    seen: str = ""
    error: str | None = None
    guidance: str = ""


class _Running:
    """A check in a thread of its own, which the end of the process does not wait for."""

    def __init__(self, check: Check, slots: threading.Semaphore) -> None:
        self.check = check
        self.started: float | None = None
        self.ended: float | None = None
        self.outcome: Seen | PenstockError | None = None
        self.is_given_up = False
        self._slots = slots
        # Prefect's settings are context variables, which a new thread does not have.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), name=check.name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._slots:
            self.started = time.monotonic()
            try:
                self.outcome = self.check.probe()
            except PenstockError as error:
                self.outcome = error
            except Exception as error:  # noqa: BLE001 - a check that breaks must not look like one that hangs
                self.outcome = PenstockError(
                    "the check itself broke",
                    guidance="Please report it, with what you were checking.",
                    error=type(error).__name__,
                )
            self.ended = time.monotonic()

    def result(self, timeout_seconds: float) -> CheckResult | None:
        """Returns what came of it, or None while it may still come."""
        if self.ended is not None and self.started is not None:
            return _result(self.check, self.outcome, self.ended - self.started)
        if self.started is None or time.monotonic() - self.started < timeout_seconds:
            return None
        if not self.is_given_up:
            self.is_given_up = True
            self._slots.release()  # its place goes to the next check
        late = PenstockError(
            "there was no answer in time",
            guidance="Check the address, and that nothing between here and there drops connections; or allow more "
            "with --timeout.",
            waited_seconds=timeout_seconds,
        )
        return _result(self.check, late, timeout_seconds)


def run_side_by_side(checks: Sequence[Check], *, timeout_seconds: float) -> list[CheckResult]:
    """Returns one result a check, in their order.

    Args:
        checks: What to look at.
        timeout_seconds: How long each may take from its own start.
    """
    slots = threading.Semaphore(MOST_AT_ONCE)
    running = [_Running(check, slots) for check in checks]
    results: dict[int, CheckResult] = {}
    while len(results) < len(running):
        for number, one in enumerate(running):
            result = None if number in results else one.result(timeout_seconds)
            if result is not None:
                results[number] = result
        time.sleep(_POLL_SECONDS)
    return [results[number] for number in range(len(running))]


def _result(check: Check, outcome: Seen | PenstockError | None, seconds: float) -> CheckResult:
    result = CheckResult(check=check.name, target=check.target, outcome="ok", seconds=round(seconds, 2))
    if isinstance(outcome, Seen):
        state = "doubtful" if outcome.is_doubtful else "ok"
        return result.model_copy(update={"outcome": state, "seen": outcome.note, "guidance": outcome.guidance})
    if outcome is None:
        return result
    error = {"outcome": "failed", "error": outcome.message_with_facts(), "guidance": outcome.guidance}
    return result.model_copy(update={**error, "seen": outcome.message})
