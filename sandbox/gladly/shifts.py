"""When agents work: who can take a contact at an hour, and the statuses they pass through on a shift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from zoneinfo import ZoneInfo

from sandbox.gladly.roster import Agent, Roster
from sandbox.gladly.timeline import HOUR, MINUTE, local_date, local_moment
from sandbox.seeded import identifier, random_stream

# Local hours of each shift and how many agents keep it. Shifts overlap, and any three agents in a row have one at work
# on any day, so that somebody can take a contact at every hour.
_SHIFTS = ((7, 15, 7), (9, 17, 7), (13, 21, 6), (16, 24, 3), (23, 32, 3))
_DAYS_OFF = frozenset({0, 1})
_WEEK = 7
_IDLE_SHARE = 0.1

LOGGED_IN = "AGENT_STATUS/LOGGED_IN"
LOGGED_OUT = "AGENT_STATUS/LOGGED_OUT"
WENT_AWAY = "AGENT_STATUS/WENT_AWAY"
RETURNED = "AGENT_STATUS/RETURNED_FROM_AWAY"
CHANGED_REASON = "AGENT_STATUS/CHANGED_ACTIVE_REASON"
AVAILABILITY = "AGENT_AVAILABILITY/UPDATED"

ACTIVE = "ACTIVE"
AWAY = "AWAY"
DEFAULT_REASON = "Working"


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """A change of an agent's status or availability; a reason is None where Gladly leaves it blank."""

    id: str
    at: int
    kind: str
    agent: Agent
    available_for: tuple[str, ...] | None = None
    active_reason: str | None = None
    away_reason: str | None = None


@dataclass(frozen=True, slots=True)
class AgentDuration:
    """An uninterrupted span of one status; `end` lies in the future while it lasts."""

    agent: Agent
    start: int
    end: int
    kind: str
    context: str


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """Whole local hours of an agent's shift, counted from the midnight before it begins; beyond 24 on the next day."""

    agent: Agent
    first_hour: int
    last_hour: int


class Shifts:
    """The working hours of an organisation."""

    def __init__(self, roster: Roster, zone: ZoneInfo) -> None:
        self._roster = roster
        self._zone = zone
        self._hours = _hours_by_agent(roster.agents)
        self._on_shift = lru_cache(maxsize=2_000)(self._find_on_shift)
        self.events_of_day = lru_cache(maxsize=100)(self._events_of_day)

    def pick_agent(self, at: int, team: int, draw: float) -> Agent:
        """Returns one of the agents at work, of the team where it has any; a draw in [0, 1) decides which."""
        at_work = self._on_shift(at // HOUR, team) or self._on_shift(at // HOUR, None)
        return at_work[int(draw * len(at_work))]

    def planned(self, day: date) -> list[PlannedShift]:
        """Returns the shifts that are planned to start on a local day, in the agents' order."""
        at_work = [agent for agent in self._roster.agents if _works(agent, day)]
        return [PlannedShift(agent, *self._hours[agent.number]) for agent in at_work]

    def durations_of_day(self, day: date) -> list[AgentDuration]:
        """Returns the active and away spans of the shifts that start on a local day."""
        found = []
        started: dict[int, AgentEvent] = {}
        for event in self.events_of_day(day):
            if event.kind in {AVAILABILITY, CHANGED_REASON}:
                continue
            before = started.pop(event.agent.number, None)
            if before is not None:
                found.append(_duration(before, event))
            if event.kind != LOGGED_OUT:
                started[event.agent.number] = event
        return sorted(found, key=lambda span: (span.start, span.agent.number))

    def _events_of_day(self, day: date) -> list[AgentEvent]:
        """Returns the events of the shifts that start on a local day; a night shift's run into the next."""
        events = [event for agent in self._roster.agents if _works(agent, day) for event in self._shift(agent, day)]
        return sorted(events, key=lambda event: (event.at, event.agent.number))

    def _find_on_shift(self, hour: int, team: int | None) -> tuple[Agent, ...]:
        today = local_date(hour * HOUR, self._zone)
        starts = (today, today - timedelta(days=1))
        return tuple(
            agent
            for agent in self._roster.agents
            if (team is None or agent.team == team)
            and any(_works(agent, day) and self._covers(agent, day, hour * HOUR) for day in starts)
        )

    def _covers(self, agent: Agent, day: date, at: int) -> bool:
        first, last = self._hours[agent.number]
        return local_moment(day, first, self._zone) <= at and at + HOUR <= local_moment(day, last, self._zone)

    def _shift(self, agent: Agent, day: date) -> list[AgentEvent]:
        stream = random_stream(self._roster.seed, self._roster.organization, "shift", agent.number, day)
        first, last = self._hours[agent.number]
        start = local_moment(day, first, self._zone) - int(stream.random() * 8 * MINUTE)
        end = local_moment(day, last, self._zone) + int(stream.random() * 12 * MINUTE)
        return _ShiftScript(self._roster, agent, day).write(start, end, stream)


class _ShiftScript:
    """Writes what one agent does on one shift."""

    def __init__(self, roster: Roster, agent: Agent, day: date) -> None:
        self._key = (roster.seed, roster.organization, "agent-event", agent.number, day)
        self._agent = agent
        self._events: list[AgentEvent] = []

    def write(self, start: int, end: int, stream: Random) -> list[AgentEvent]:
        lunch = start + int((3.5 + stream.random()) * HOUR)
        break_at = lunch + int((1.5 + stream.random()) * HOUR)
        channels = (("VOICE",), ("MESSAGING",), ("MAIL", "TASK"))[self._agent.team]
        self._add(start, LOGGED_IN, active_reason=DEFAULT_REASON)
        self._add(start + MINUTE // 2, AVAILABILITY, available_for=channels)
        self._leave(lunch, lunch + int((25 + stream.random() * 15) * MINUTE), "Lunch")
        idle = stream.random() < _IDLE_SHARE
        self._leave(break_at, break_at + int((8 + stream.random() * 10) * MINUTE), None if idle else "Break")
        if stream.random() < _IDLE_SHARE:
            self._add(break_at + HOUR, CHANGED_REASON, active_reason="Coaching")
        self._add(end - MINUTE, AVAILABILITY, available_for=())
        self._add(end, LOGGED_OUT)
        return self._events

    def _leave(self, at: int, back: int, reason: str | None) -> None:
        self._add(at, WENT_AWAY, away_reason=reason)
        self._add(back, RETURNED, active_reason=DEFAULT_REASON, away_reason=reason or "Other")

    def _add(
        self,
        at: int,
        kind: str,
        *,
        available_for: tuple[str, ...] | None = None,
        active_reason: str | None = None,
        away_reason: str | None = None,
    ) -> None:
        event_id = identifier(*self._key, len(self._events))
        self._events.append(AgentEvent(event_id, at, kind, self._agent, available_for, active_reason, away_reason))


def _hours_by_agent(agents: list[Agent]) -> list[tuple[int, int]]:
    hours = [(first, last) for first, last, count in _SHIFTS for _ in range(count)]
    return hours[: len(agents)]


def _works(agent: Agent, day: date) -> bool:
    return (day.toordinal() + agent.number) % _WEEK not in _DAYS_OFF


def _duration(start: AgentEvent, end: AgentEvent) -> AgentDuration:
    if start.kind == WENT_AWAY:
        return AgentDuration(start.agent, start.at, end.at, AWAY, start.away_reason or "IDLE")
    return AgentDuration(start.agent, start.at, end.at, ACTIVE, start.active_reason or DEFAULT_REASON)
