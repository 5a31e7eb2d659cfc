"""What happens to an incident: planned once from the seed, and replayed up to any moment.

Times are entered by people: the beginning lies before the report, some moments are left out, some are corrected days
after the end, and a few are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from sandbox.seeded import skewed

LONGEST_LIFE = timedelta(days=40)
"""Nothing happens to an incident later than this after it was declared; a test keeps it so."""

_RETROSPECTIVE, _TEST, _TUTORIAL = 0.05, 0.04, 0.02
_DECLINED, _MERGED, _CANCELED, _PAUSED = 0.07, 0.05, 0.03, 0.03
_REOPENED, _CORRECTED, _WRONG, _NEVER_CLOSED = 0.08, 0.15, 0.03, 0.02
_CAUSES = 5


class Change(NamedTuple):
    """Something that happens to an incident.

    Args:
        stage: The stage that it enters, if any.
        fields: What it has from then on, beside its moments.
        stamps: Moments that are entered; None takes one back.
        message: What the update says; no update is posted where it is empty.
    """

    at: datetime
    stage: str | None = None
    fields: Mapping[str, Any] = {}
    stamps: Mapping[str, datetime | None] = {}
    message: str = ""


@dataclass
class State:
    """An incident at a moment."""

    stage: str = "triage"
    fields: dict[str, Any] = field(default_factory=dict)
    stamps: dict[str, datetime] = field(default_factory=dict)
    updated_at: datetime | None = None


class Life(NamedTuple):
    """An incident from its declaration to its last correction; `changes` are in order of time."""

    number: int
    mode: str
    created: datetime
    services: tuple[int, ...]
    changes: tuple[Change, ...]

    def state(self, now: datetime) -> State:
        """Returns the incident as it stands at a moment."""
        state = State()
        for change in self.changes:
            if change.at > now:
                break
            state.stage = change.stage or state.stage
            state.fields.update(change.fields)
            for moment, time in change.stamps.items():
                if time is None:
                    state.stamps.pop(moment, None)
                else:
                    state.stamps[moment] = time
            state.updated_at = change.at
        return state

    def updated_at(self, now: datetime) -> datetime:
        """Returns when it was last changed before a moment."""
        return max(change.at for change in self.changes if change.at <= now)


def plan_life(number: int, created: datetime, stream: Random, *, service_count: int, is_long: bool = False) -> Life:
    """Returns the life of the incident that is declared at a moment.

    Args:
        number: Of the incident in its workspace.
        created: In UTC.
        stream: Of this incident alone.
        service_count: How many services the workspace has.
        is_long: Whether it lasts some hours in any case, such as over a change of clocks.
    """
    mode = _draw_mode(stream)
    services = tuple(sorted({int(stream.random() * service_count) for _ in range(int(stream.random() * 4))}))
    began = created - timedelta(minutes=skewed(stream, 11, 1.3))
    if mode == "retrospective":
        began -= timedelta(days=1 + 4 * stream.random())
    severity = min(int(stream.random() ** 2 * 4), 3)
    declared = Change(
        created,
        "triage",
        {
            "severity": None if _happens(stream, 0.5) else severity,
            "reporter": int(stream.random() * 10),
            "summary": None if _happens(stream, 0.3) else f'Errors since {began:%H:%M},\n"many" of them',
            "services": services if _happens(stream, 0.7) else (),
        },
        {"impact": began, "reported": created if mode != "retrospective" else began + timedelta(minutes=9)},
        "Declared",
    )
    course = _course(stream, created, began, severity=severity, is_long=is_long, services=services, mode=mode)
    return Life(number, mode, created, services, tuple(sorted([declared, *course], key=lambda change: change.at)))


def _happens(stream: Random, share: float) -> bool:
    return stream.random() < share


def _draw_mode(stream: Random) -> str:
    drawn = stream.random()
    for mode, share in (("retrospective", _RETROSPECTIVE), ("test", _TEST), ("tutorial", _TUTORIAL)):
        if drawn < share:
            return mode
        drawn -= share
    return "standard"


def _course(
    stream: Random,
    created: datetime,
    began: datetime,
    *,
    severity: int,
    is_long: bool,
    services: tuple[int, ...],
    mode: str,
) -> list[Change]:
    accepted = created + timedelta(minutes=skewed(stream, 4))
    drawn = stream.random()
    for stage, share in (("declined", _DECLINED), ("merged", _MERGED), ("canceled", _CANCELED)):
        if drawn < share and not is_long:
            return [_ending(stream, accepted, stage)]
        drawn -= share
    taken = Change(
        accepted,
        "open",
        {"severity": severity, "lead": int(stream.random() * 10), "channel": True, "services": services},
        {"accepted": accepted},
        "Accepted",
    )
    return [taken, *_work(stream, accepted, began, is_long=is_long, mode=mode)]


def _ending(stream: Random, accepted: datetime, stage: str) -> Change:
    fields = {"merges_back": 1 + int(stream.random() * 3)} if stage == "merged" else {}
    return Change(accepted + timedelta(minutes=skewed(stream, 6)), stage, fields, {}, stage.capitalize())


def _work(stream: Random, accepted: datetime, began: datetime, *, is_long: bool, mode: str) -> list[Change]:
    identified = accepted + timedelta(minutes=skewed(stream, 18))
    fixed = identified + timedelta(minutes=180 if is_long else skewed(stream, 35, 1.4))
    resolved = fixed + timedelta(minutes=skewed(stream, 22))
    # A retrospective tells of what was over before it was declared.
    shift = (accepted - began) - timedelta(minutes=15) if mode == "retrospective" else timedelta(0)
    cause = int(stream.random() * _CAUSES)
    changes = [
        Change(identified, "working", {"cause": cause}, {"identified": identified - shift}, "We know why"),
        Change(fixed, "watching", {}, {} if _happens(stream, 0.1) else {"fixed": fixed - shift}, "Fixed"),
        Change(resolved, "review", {"customers": _customers(stream)}, {"resolved": resolved - shift}, "Resolved"),
    ]
    if _happens(stream, _PAUSED):
        changes.append(Change(identified + (fixed - identified) / 3, "paused", {}, {}, "Waiting for a vendor"))
        changes.append(Change(identified + (fixed - identified) / 2, "working", {}, {}, "Going on"))
    return changes + _aftermath(stream, resolved - shift, resolved)


def _customers(stream: Random) -> int | None:
    return None if _happens(stream, 0.4) else int(skewed(stream, 120, 2))


def _aftermath(stream: Random, stamp: datetime, resolved: datetime) -> list[Change]:
    """Returns what follows the end; `stamp` is what was entered as the end, `resolved` when."""
    if _happens(stream, _NEVER_CLOSED):
        return []
    changes = []
    if _happens(stream, _REOPENED):
        reopened = resolved + timedelta(hours=skewed(stream, 9))
        stamp = reopened + timedelta(minutes=skewed(stream, 70))
        changes.append(Change(reopened, "open", {}, {"resolved": None, "fixed": None}, "It is back"))
        changes.append(Change(stamp, "review", {}, {"fixed": stamp - timedelta(minutes=7), "resolved": stamp}, "Gone"))
        resolved = stamp
    closed = resolved + timedelta(hours=skewed(stream, 40))
    document = {"postmortem": _happens(stream, 0.4), "note": None if _happens(stream, 0.6) else "All is well, again"}
    changes.append(Change(closed, "closed", document, {"closed": closed}, "Closed"))
    drawn = stream.random()
    if drawn < _CORRECTED:
        # People look at the times when they write the review, days later: the end was earlier than it was entered.
        late = closed + timedelta(days=1 + 11 * stream.random())
        changes.append(Change(late, None, {}, {"resolved": stamp - timedelta(minutes=1 + 9 * stream.random())}))
    elif drawn < _CORRECTED + _WRONG:
        # Somebody picked the wrong day: the end lies before the beginning.
        changes.append(Change(closed + timedelta(hours=5), None, {}, {"resolved": stamp - timedelta(days=1)}))
    return changes
