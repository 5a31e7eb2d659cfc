"""Rows of `POST /reports/work-session-events`: one per contact and agent who handled it, in snake_case already.

A row is anchored at its contact's end where it has ended, else at its start: it moves to another window then, and its
`id` is blank until it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from sandbox.gladly.contacts import FULFILLED, OFFERED, Contact
from sandbox.gladly.measures import find_stretches
from sandbox.gladly.plans import EMAIL, VOICEMAIL
from sandbox.gladly.reports.contact_sets import write_seconds
from sandbox.gladly.reports.request import ReportRequest
from sandbox.gladly.roster import Agent, Inbox
from sandbox.gladly.timeline import HOUR, MINUTE, SECOND, write_optional_time, write_time
from sandbox.gladly.world import World
from sandbox.seeded import fraction, identifier

Row = Sequence[str | None]

WORK_SESSION_COLUMNS = (
    "id",
    "contact_session_id",
    "contact_session_created_at",
    "customer_id",
    "conversation_id",
    "inbox_id",
    "channel",
    "direction",
    "agent_accepted_at",
    "contact_session_routed_at",
    "agent_id",
    "sla_fulfilled_at",
    "contact_session_ended_at",
    "status",
    "within_sla",
    "work_session_handle_time_sec",
    "work_session_after_contact_time_sec",
    "work_session_unknown_time_sec",
    "accepted_inbox_id",
)

_MAIL_SLA = 8 * HOUR
_SLA = 2 * MINUTE
_LONGEST_WRAP_UP_SECONDS = 90


@dataclass
class _Session:
    """All of one agent's time with one contact; `handle` is None while it lasts."""

    agent: Agent
    inbox: Inbox
    accepted_at: int
    handle: int | None


def work_sessions(world: World, request: ReportRequest) -> Iterator[Row]:
    """Yields the work sessions anchored in the window, in order of their anchors."""
    rows: list[tuple[int, Row]] = []
    for conversation in world.conversations_busy(request.start, request.visible_end):
        for contact in conversation.contacts:
            anchor = contact.ended_at if contact.ended_at <= request.now else contact.started_at
            if request.start <= anchor < request.visible_end and not _is_hidden(contact, anchor, request):
                rows.extend((anchor, row) for row in _rows(contact, world, request.now))
    rows.sort(key=lambda pair: pair[0])
    return (row for _, row in rows)


def _is_hidden(contact: Contact, anchor: int, request: ReportRequest) -> bool:
    return bool(request.late_rows) and request.late_rows.hides(anchor, contact.id)


def _rows(contact: Contact, world: World, now: int) -> Iterator[Row]:
    sessions = _sessions(contact, now)
    if not sessions:
        yield _row(contact, None, world, now)
    for session in sessions:
        yield _row(contact, session, world, now)


def _sessions(contact: Contact, now: int) -> list[_Session]:
    # The key is contact and agent: who gets a contact back has one row.
    found: dict[str, _Session] = {}
    for stretch in find_stretches(contact, now):
        known = found.get(stretch.agent.id)
        if known is None:
            found[stretch.agent.id] = _Session(stretch.agent, stretch.inbox, stretch.start, stretch.length)
        else:
            known.handle = None if known.handle is None or stretch.length is None else known.handle + stretch.length
    return list(found.values())


def _row(contact: Contact, session: _Session | None, world: World, now: int) -> Row:
    ended = contact.ended_at <= now
    routed = _first(contact, (OFFERED,), now)
    fulfilled = _first(contact, (FULFILLED,), now)
    handle = session.handle if session else None
    session_id = identifier(contact.id, "session")
    wrap_up = int(fraction(session_id, "wrap-up") * _LONGEST_WRAP_UP_SECONDS) * SECOND
    agent_id = session.agent.id if session else None
    return (
        identifier(session_id, agent_id) if ended else None,
        session_id,
        write_time(contact.started_at),
        world.roster.customer(contact.customer).id,
        contact.conversation_id,
        contact.inbox.id,
        contact.channel,
        "OUTBOUND" if contact.outbound else "INBOUND",
        write_optional_time(session.accepted_at if session else None),
        write_optional_time(routed),
        agent_id,
        write_optional_time(fulfilled),
        write_optional_time(contact.ended_at if ended else None),
        "ENDED" if ended else "ACTIVE",
        _within_sla(contact, fulfilled, ended=ended),
        write_seconds(handle),
        write_seconds(wrap_up) if handle is not None and ended else None,
        write_seconds(0) if handle is not None else None,
        session.inbox.id if session else None,
    )


def _within_sla(contact: Contact, fulfilled: int | None, *, ended: bool) -> str | None:
    if fulfilled is None:
        return "false" if ended and not contact.outbound else None
    promised = _MAIL_SLA if contact.channel in {EMAIL, VOICEMAIL} else _SLA
    return "true" if fulfilled - contact.started_at <= promised else "false"


def _first(contact: Contact, kinds: tuple[str, ...], now: int) -> int | None:
    return next(chain((e.at for e in contact.events if e.kind in kinds and e.at <= now), (None,)))
