"""Rows of the agent metric sets.

Columns of AgentTimestampsReport and AgentDurationsReportV2 are those of Gladly's help pages (Agent Timestamps, Agent
Durations); of AgentSummaryV2 its first columns, up to the active time, and a few of its many channel columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sandbox.gladly.contacts import ACCEPTED, MESSAGE_SENT, REJECTED
from sandbox.gladly.plans import CALL, CHAT, EMAIL, SMS
from sandbox.gladly.reports.contact_sets import write_seconds
from sandbox.gladly.reports.request import ReportRequest
from sandbox.gladly.roster import Agent
from sandbox.gladly.shifts import ACTIVE, AVAILABILITY, CHANGED_REASON, LOGGED_IN, LOGGED_OUT, RETURNED, WENT_AWAY
from sandbox.gladly.timeline import MINUTE, day_bounds, local_date, write_optional_time, write_time
from sandbox.gladly.world import World

Row = Sequence[str | None]

AGENT_TIMESTAMPS_COLUMNS = (
    "Timestamp",
    "Occurred At",
    "Agent",
    "Agent ID",
    "Type",
    "Available For",
    "Away Reason",
    "Active Reason",
)

AGENT_DURATIONS_COLUMNS = ("Agent ID", "Agent", "Start time", "End time", "Duration (mins)", "Type", "Context")

_COUNTED_STATUSES = (LOGGED_IN, LOGGED_OUT, WENT_AWAY, RETURNED, CHANGED_REASON)
_COUNTED_CHANNELS = (CALL, EMAIL, CHAT, SMS)
AGENT_SUMMARY_COLUMNS = (
    "Bucket Beginning",
    "Bucket End",
    "Name",
    "Email",
    "Agent ID",
    "User Status",
    "Role(s)",
    "Inbox(es)",
    "Team(s)",
    "Logged In",
    "Logged Out",
    "Went Away",
    "Returned from Away",
    "Changed Active Reason",
    "Active Time in seconds",
    "Away Time in seconds",
    "Contact Rejected",
    "Message Sent",
    "Contact Accepted",
    *(f"Contact Accepted - {channel}" for channel in _COUNTED_CHANNELS),
)

_HALF_HOUR = 30 * MINUTE
_SUNDAY = 6
_MONTHS_PER_BUCKET = {"monthly": 1, "quarterly": 3}


def agent_timestamps(world: World, request: ReportRequest) -> Iterator[Row]:
    """Yields one row per status or availability event."""
    hidden = request.late_rows
    for event in world.agent_events(request.start, request.visible_end):
        if not request.wants_agent(event.agent, world.roster) or (hidden and hidden.hides(event.at, event.id)):
            continue
        available = None if event.available_for is None else f"[{', '.join(event.available_for)}]"
        yield (
            write_time(event.at),
            write_time(event.at),
            event.agent.name,
            event.agent.id,
            event.kind,
            available,
            event.away_reason,
            event.active_reason if event.kind != AVAILABILITY else None,
        )


def agent_durations(world: World, request: ReportRequest) -> Iterator[Row]:
    """Yields one row per active or away span that begins in the window; its end is blank while it lasts."""
    hidden = request.late_rows
    for span in world.agent_durations(request.start, request.visible_end):
        key = f"{span.agent.id}{span.start}"
        if not request.wants_agent(span.agent, world.roster) or (hidden and hidden.hides(span.start, key)):
            continue
        ended = span.end <= request.now
        yield (
            span.agent.id,
            span.agent.name,
            write_time(span.start),
            write_optional_time(span.end if ended else None),
            f"{(span.end - span.start) / MINUTE:.2f}" if ended else None,
            span.kind,
            span.context,
        )


@dataclass
class _Tally:
    statuses: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    active: int = 0
    away: int = 0
    rejected: int = 0
    sent: int = 0


def agent_summary(world: World, request: ReportRequest) -> Iterator[Row]:
    """Yields one row per bucket and agent who did something in it."""
    for start, end in buckets(request):
        visible_end = min(end, request.now + 1)
        tallies = _count(world, start, visible_end)
        for agent in world.roster.agents:
            if agent.number in tallies and request.wants_agent(agent, world.roster):
                yield _summary_row(world, agent, (start, end), tallies[agent.number])


def buckets(request: ReportRequest) -> Iterator[tuple[int, int]]:
    """Yields the half hours, days, weeks (from Monday), months or quarters of a request, cut at its ends."""
    left = request.start
    while left < request.end:
        right = min(_next_bucket(left, request), request.end)
        yield left, right
        left = right


def _next_bucket(at: int, request: ReportRequest) -> int:
    if request.level == "halfHourly":
        return at - at % _HALF_HOUR + _HALF_HOUR
    day = local_date(at, request.zone)
    if request.level == "weekly":
        last = day + timedelta(days=_SUNDAY - day.weekday())
    elif request.level in _MONTHS_PER_BUCKET:
        last = _last_of_months(day, _MONTHS_PER_BUCKET[request.level])
    else:
        last = day
    return day_bounds(last, request.zone)[1]


def _last_of_months(day: date, months: int) -> date:
    next_month = day.month - (day.month - 1) % months + months
    return date(day.year + (next_month - 1) // 12, (next_month - 1) % 12 + 1, 1) - timedelta(days=1)


def _count(world: World, start: int, end: int) -> dict[int, _Tally]:
    tallies: dict[int, _Tally] = {}
    for change in world.agent_events(start, end):
        statuses = tallies.setdefault(change.agent.number, _Tally()).statuses
        statuses[change.kind] = statuses.get(change.kind, 0) + 1
    # A shift can begin the day before; whatever part of its spans lies in the bucket counts.
    for span in world.agent_durations(start - 24 * 60 * MINUTE, end):
        inside = min(span.end, end) - max(span.start, start)
        if inside > 0:
            tally = tallies.setdefault(span.agent.number, _Tally())
            tally.active += inside if span.kind == ACTIVE else 0
            tally.away += 0 if span.kind == ACTIVE else inside
    for event in world.contact_events(start, end):
        if event.initiator_agent is None:
            continue
        tally = tallies.setdefault(event.initiator_agent.number, _Tally())
        tally.rejected += event.kind == REJECTED
        tally.sent += event.kind == MESSAGE_SENT
        if event.kind == ACCEPTED:
            tally.accepted[event.contact.channel] = tally.accepted.get(event.contact.channel, 0) + 1
    return tallies


def _summary_row(world: World, agent: Agent, bucket: tuple[int, int], tally: _Tally) -> Row:
    team = world.roster.teams[agent.team]
    inboxes = ", ".join(inbox.name for inbox in world.roster.inboxes if inbox.team == agent.team)
    return (
        write_time(bucket[0]),
        write_time(bucket[1]),
        agent.name,
        agent.email,
        agent.id,
        "Active",
        "Agent",
        inboxes,
        team.name,
        *(str(tally.statuses.get(kind, 0)) for kind in _COUNTED_STATUSES),
        write_seconds(tally.active),
        write_seconds(tally.away),
        str(tally.rejected),
        str(tally.sent),
        str(sum(tally.accepted.values())),
        *(str(tally.accepted.get(channel, 0)) for channel in _COUNTED_CHANNELS),
    )
