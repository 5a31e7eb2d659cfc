"""One organisation's objectives: what was measured in each hour, and which hours were corrected afterwards.

Everything is in seconds since the epoch, the API's own unit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import NamedTuple

from sandbox.datadog_slo.settings import DatadogSloSettings
from sandbox.seeded import fraction, identifier

HOUR = 3_600
_DAY = 24 * HOUR
_TYPES = ("metric", "monitor", "time_slice")
_SERVICES = ("checkout", "search", "identity", "catalogue", "billing", "gateway", "mobile-api")
_TARGETS = (99.0, 99.5, 99.9, 99.95)
_TEAMS = ("core", "money", "reach")
_BAD_HOUR_SHARE = 0.02
_SETTLES_AFTER = 2 * HOUR
_CORRECTED_EVERY = 9 * _DAY
_CORRECTION_SECONDS = 2 * HOUR
_CORRECTED_AFTER = _DAY
WITHOUT_DATA = 4
"""Number of the objective that has never measured anything."""
DELETED = 6
"""Number of the objective that is deleted some weeks after the beginning."""
_DELETED_AFTER = 75 * _DAY
_NEW = 7
_NEW_AFTER = 60 * _DAY


@dataclass(frozen=True)
class Objective:
    """One SLO."""

    number: int
    id: str
    name: str
    type: str
    target: float
    timeframe: str
    tags: tuple[str, ...]
    created: int
    deleted: int | None


class Correction(NamedTuple):
    """A span that is left out of an objective, and when somebody said so."""

    id: str
    objective: Objective
    start: int
    end: int
    created: int


class Hour(NamedTuple):
    """What one objective measured in an hour."""

    start: int
    good: int
    total: int


class World:
    """Answers what was measured, decided by the seed; nothing of it depends on who asks."""

    def __init__(self, settings: DatadogSloSettings, *, seed: int) -> None:
        self._seed = seed
        self.opened = int(datetime.combine(settings.opened_on, time.min, UTC).timestamp())
        self._objectives = [self._objective(number) for number in range(settings.objectives)]

    def objectives(self, now: int) -> list[Objective]:
        """Returns the objectives that exist at a moment, oldest first."""
        alive = (one for one in self._objectives if one.deleted is None or now < one.deleted)
        return [one for one in alive if one.created <= now]

    def find(self, objective_id: str, now: int) -> Objective | None:
        """Returns an objective that exists at a moment."""
        return next((one for one in self.objectives(now) if one.id == objective_id), None)

    def corrections(self, now: int) -> Iterator[Correction]:
        """Yields what has been corrected by a moment, a day after it happened; oldest first."""
        for place, start in enumerate(range(self.opened, now, _CORRECTED_EVERY)):
            objective = self._objectives[place % len(self._objectives)]
            begin = start + int(20 * fraction(self._seed, "correction", place)) * HOUR
            correction = Correction(
                identifier(self._seed, "correction", place),
                objective,
                begin,
                begin + _CORRECTION_SECONDS,
                begin + _CORRECTED_AFTER,
            )
            if correction.created <= now:
                yield correction

    def hours(self, objective: Objective, first: int, last: int, *, now: int, corrected: bool) -> list[Hour]:
        """Returns the whole hours of a span that have begun by a moment.

        Args:
            objective: Whose.
            first: Beginning of the span.
            last: Its end, which is not part of it.
            now: The newest hours have not settled by then: events still come in.
            corrected: Leaves out what corrections cover.
        """
        if objective.number == WITHOUT_DATA:
            return []
        spans = [one for one in self.corrections(now) if corrected and one.objective == objective]
        starts = range(max(first - first % HOUR, objective.created), min(last, now), HOUR)
        open_starts = (start for start in starts if not any(one.start <= start < one.end for one in spans))
        return [self._hour(objective, start, now) for start in open_starts]

    def _hour(self, objective: Objective, start: int, now: int) -> Hour:
        total = 40 + int(160 * fraction(self._seed, objective.number, start, "total"))
        is_bad = fraction(self._seed, objective.number, start, "bad") < _BAD_HOUR_SHARE
        bad = int(total * (0.3 if is_bad else 0.004) * fraction(self._seed, objective.number, start, "depth"))
        if now - start < _SETTLES_AFTER:
            total = int(total * max(now - start, 1) / _SETTLES_AFTER)
        return Hour(start, max(total - bad, 0), total)

    def _objective(self, number: int) -> Objective:
        service = _SERVICES[number % len(_SERVICES)]
        return Objective(
            number=number,
            id=identifier(self._seed, "objective", number)[:32],
            name=f"{service} {'latency' if number % 2 else 'availability'}",
            type=_TYPES[number % len(_TYPES)],
            target=_TARGETS[number % len(_TARGETS)],
            timeframe="7d" if number % 5 == 0 else "30d",
            tags=(f"service:{service}", f"team:{_TEAMS[number % len(_TEAMS)]}"),
            created=self.opened + (_NEW_AFTER if number == _NEW else 0),
            deleted=self.opened + _DELETED_AFTER if number == DELETED else None,
        )
