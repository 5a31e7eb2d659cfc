"""Failures that the sandbox can be told to play, and the plan that decides which request meets which."""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from threading import Lock
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sandbox.clock import to_milliseconds
from sandbox.seeded import fraction

FaultKind = Literal[
    "rate_limited",
    "server_error",
    "truncated_body",
    "connection_drop",
    "slow",
    "expired_token",
    "repeated_page_token",
    "missing_page_token",
    "error_text",
    "late_rows",
    "schema_change",
]

# These change what is served for as long as they stand; the others are met by single requests and used up.
STANDING_KINDS = frozenset({"late_rows", "schema_change"})
# These go together with any other; of all the rest a request meets one, and the next request meets the next.
COMBINED_KINDS = frozenset({"slow", "repeated_page_token", "missing_page_token"})


class Fault(BaseModel):
    """One failure to play.

    `rate_limited` answers 429, `server_error` answers `status`, which may be a 4xx too; both may carry Retry-After.
    `truncated_body` sends half of a body whose length it promised, `connection_drop` nothing at all, `slow` waits
    `delay_seconds` first. `expired_token` answers 401 and revokes every OAuth token issued so far.
    `repeated_page_token` and `missing_page_token` spoil the pointer to the next page. `error_text` answers 200 with
    `text` in place of data.

    `late_rows` hides rows that happened before `since` (and not before `rows_from`) until the clock reaches `since`.
    `schema_change` adds, removes or renames `column` once the clock reaches `since`. Neither counts `times` or `after`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    path: str = Field("*", description="Shell pattern of the request path, such as `/gladly/*/reports`.")
    method: str | None = None
    contains: str = Field("", description="Text that the query or the body must hold, such as a metric set.")
    times: int | None = Field(1, ge=1, description="How many requests meet it; null means all from then on.")
    after: int = Field(0, ge=0, description="How many matching requests pass first.")
    status: int = Field(503, ge=400, le=599)
    retry_after_seconds: float | None = Field(None, ge=0)
    retry_after_form: Literal["seconds", "http_date"] = "seconds"
    delay_seconds: float = Field(1.0, ge=0)
    text: str = "Unexpected error occurred while generating the report. Please try again."
    since: AwareDatetime | None = None
    rows_from: AwareDatetime | None = None
    row_share: float = Field(1.0, ge=0, le=1, description="Share of the rows that come late, chosen by their keys.")
    change: Literal["add", "remove", "rename"] = "add"
    column: str = "New Column"
    new_name: str = ""


class LateRows:
    """The late rows of one path at one moment; says of each row whether it is still missing."""

    def __init__(self, rules: list[Fault]) -> None:
        self._rules = [
            (
                to_milliseconds(rule.rows_from) if rule.rows_from else 0,
                to_milliseconds(rule.since or datetime.max.replace(tzinfo=UTC)),
                rule.row_share,
            )
            for rule in rules
        ]

    def __bool__(self) -> bool:
        return bool(self._rules)

    def hides(self, happened_at: int, key: str) -> bool:
        """Returns whether a row of this time (milliseconds) and key has not arrived yet."""
        return any(
            first <= happened_at < last and (share >= 1 or fraction("late", key) < share)
            for first, last, share in self._rules
        )


class FaultPlan:
    """The faults in force, and how often each was matched and met; safe across threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._faults: list[Fault] = []
        self._matched: list[int] = []
        self._met: list[int] = []

    def add(self, fault: Fault) -> Fault:
        """Puts a fault in force, behind those that are."""
        with self._lock:
            self._faults.append(fault)
            self._matched.append(0)
            self._met.append(0)
        return fault

    def clear(self) -> None:
        """Takes every fault out of force."""
        with self._lock:
            self._faults.clear()
            self._matched.clear()
            self._met.clear()

    def in_force(self) -> list[Fault]:
        """Returns the faults, used up or not, in the order they were added."""
        with self._lock:
            return list(self._faults)

    def times_met(self, fault: Fault) -> int:
        """Returns how many requests have met a fault so far."""
        with self._lock:
            return sum(met for known, met in zip(self._faults, self._met, strict=True) if known is fault)

    def needs_body(self) -> bool:
        """Returns whether some fault looks into request bodies."""
        return any(fault.contains for fault in self._faults)

    def take(self, method: str, path: str, text: str = "") -> list[Fault]:
        """Returns the faults that this request meets, and counts them; `text` is its query and body."""
        if not self._faults:
            return []
        met: list[Fault] = []
        with self._lock:
            for place, fault in enumerate(self._faults):
                if fault.kind not in STANDING_KINDS and _matches(fault, method, path, text):
                    alone = fault.kind in COMBINED_KINDS or all(other.kind in COMBINED_KINDS for other in met)
                    if self._is_due(place) and alone:
                        self._met[place] += 1
                        met.append(fault)
        return met

    def late_rows(self, path: str, now: datetime) -> LateRows:
        """Returns the rules on late rows that hold for a path at a moment."""
        rules = self._standing("late_rows", path)
        return LateRows([rule for rule in rules if rule.since is None or now < rule.since])

    def schema_changes(self, path: str, now: datetime) -> list[Fault]:
        """Returns the schema changes that have come for a path at a moment."""
        rules = self._standing("schema_change", path)
        return [rule for rule in rules if rule.since is None or rule.since <= now]

    def _standing(self, kind: FaultKind, path: str) -> list[Fault]:
        if not self._faults:
            return []
        with self._lock:
            return [fault for fault in self._faults if fault.kind == kind and fnmatchcase(path, fault.path)]

    def _is_due(self, place: int) -> bool:
        fault = self._faults[place]
        self._matched[place] += 1
        used_up = fault.times is not None and self._met[place] >= fault.times
        return self._matched[place] > fault.after and not used_up


def _matches(fault: Fault, method: str, path: str, text: str) -> bool:
    return fnmatchcase(path, fault.path) and (fault.method is None or fault.method == method) and fault.contains in text
