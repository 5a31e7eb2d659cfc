"""Wait, handle and hold of contacts, told by walking through their events: what the models must agree with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from tests.models.bronze import ZONE, Record

OUTSIDERS = {"CUSTOMER", "INTERNAL", "EXTERNAL"}


@dataclass
class Stint:
    """An agent's time with a contact."""

    agent: str | None
    began_at: datetime
    handled: int = 0
    held: int = 0
    is_over: bool = False


@dataclass
class ContactClock:
    """A contact's clock; it runs from event to event, in whole seconds."""

    channel: str | None
    started_by: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    is_fulfilled: bool = False
    waited: int = 0
    waited_again: int = 0
    transfers: int = 0
    stints: list[Stint] = field(default_factory=list)
    _mode: str = "unknown"
    _since: datetime | None = None

    @property
    def direction(self) -> str | None:
        """INBOUND or OUTBOUND, None where the start was not seen."""
        if self.started_by is None:
            return None
        return "INBOUND" if self.started_by in OUTSIDERS else "OUTBOUND"

    @property
    def handled(self) -> int:
        """Seconds in agents' hands."""
        return sum(stint.handled for stint in self.stints)

    @property
    def held(self) -> int:
        """Seconds on hold."""
        return sum(stint.held for stint in self.stints)

    def hear(self, event: Record, at: datetime) -> None:
        """Takes the next event in order of time."""
        kind = (event["event_type"] or "").removeprefix("CONTACT/")
        agent = event["initiator_id"]
        if self.ended_at is not None:
            return
        if kind == "STARTED":
            self.started_at, self.started_by = at, event["initiator_type"]
            self._turn("wait", at)
            if event["initiator_type"] == "AGENT":
                self._take(agent, at)
        elif kind == "OFFER_ACCEPTED" or (kind == "FULFILLED" and self._mode == "wait"):
            self._take(agent, at)
        elif kind in {"HOLD_STARTED", "HOLD_ENDED"}:
            self._turn("hold" if kind == "HOLD_STARTED" else "handle", at)
        elif kind == "TRANSFERRED":
            self.transfers += 1
            self._turn("wait", at, ends_stint=True)
        elif kind == "ENDED":
            self._turn("over", at, ends_stint=True)
            self.ended_at = at
        self.is_fulfilled |= kind == "FULFILLED"

    def _take(self, agent: str | None, at: datetime) -> None:
        self._turn("handle", at, ends_stint=True)
        self.stints.append(Stint(agent, at))

    def _turn(self, mode: str, at: datetime, *, ends_stint: bool = False) -> None:
        passed = 0 if self._since is None else int(at.timestamp()) - int(self._since.timestamp())
        if self._mode == "wait" and not self.stints:
            self.waited += passed
        elif self._mode == "wait":
            self.waited_again += passed
        elif self.stints and self._mode in {"handle", "hold"}:
            self.stints[-1].handled += passed
            self.stints[-1].held += passed if self._mode == "hold" else 0
        if ends_stint and self.stints:
            self.stints[-1].is_over = True
        self._mode, self._since = mode, at


def clock_contacts(events: Iterable[Record]) -> dict[str, ContactClock]:
    """Returns every contact's clock after all of its events; rows that repeat or have no readable time do not count."""
    timed = {}
    for event in events:
        at = read_time(event["timestamp"])
        if at is not None and event["contact_id"]:
            timed.setdefault(tuple(event.values()), (at, event))
    clocks: dict[str, ContactClock] = {}
    # A stable sort: of one millisecond's events the report's own order holds.
    for at, event in sorted(timed.values(), key=lambda pair: pair[0]):
        clock = clocks.setdefault(str(event["contact_id"]), ContactClock(event["channel"]))
        clock.hear(event, at)
    return clocks


def read_time(text: str | None) -> datetime | None:
    """Returns a report's time in UTC, None where it is none."""
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except ValueError:
        return None


def local_day(moment: datetime) -> date:
    """Returns the day that clocks in New York show."""
    return moment.astimezone(ZONE).date()


def agents_daily(clocks: dict[str, ContactClock]) -> dict[tuple[date, str], tuple[int, int, int, int]]:
    """Returns stints, contacts, handle and hold seconds of each agent and day."""
    contacts: dict[tuple[date, str], set[str]] = defaultdict(set)
    sums: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for contact, clock in clocks.items():
        for stint in clock.stints:
            if stint.agent is None:
                continue
            key = (local_day(stint.began_at), stint.agent)
            contacts[key].add(contact)
            over = (1, stint.handled, stint.held) if stint.is_over else (1, 0, 0)
            sums[key] = [total + part for total, part in zip(sums[key], over, strict=True)]
    return {key: (stints, len(contacts[key]), handled, held) for key, (stints, handled, held) in sums.items()}
