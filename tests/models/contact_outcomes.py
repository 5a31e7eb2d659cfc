"""What became of conversations after their first contact, and half hours of service, told from bronze in Python."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.models.bronze import Record, read_bronze
from tests.models.contact_clock import ContactClock, clock_contacts, read_time

WATCHED = timedelta(days=7)
SECONDS_BY_CHANNEL = {"PHONE_CALL": 30, "CHAT": 60, "EMAIL": 14_400, "VOICEMAIL": 14_400}
OTHERWISE_SECONDS = 300


@dataclass
class Contact:
    """A contact as the export and its events together know it."""

    id: str
    conversation: str | None
    customer: str | None
    channel: str | None
    direction: str | None
    queued_at: datetime | None
    ended_at: datetime | None
    clock: ContactClock | None

    @property
    def is_answered(self) -> bool:
        """Whether it came in and an agent took it."""
        return self.direction == "INBOUND" and self.clock is not None and bool(self.clock.stints)

    @property
    def is_abandoned(self) -> bool:
        """Whether it came in and ended before anybody took or answered it."""
        if self.direction != "INBOUND" or self.clock is None or self.ended_at is None:
            return False
        return not self.clock.stints and not self.clock.is_fulfilled

    @property
    def is_timed(self) -> bool:
        """Whether its wait is known: its start was seen, and no agent began it."""
        return self.clock is not None and self.clock.started_by not in {None, "AGENT"}


def read_contacts(warehouse: Path) -> dict[str, Contact]:
    """Returns every contact of bronze."""
    events = read_bronze(warehouse, "contact_timestamps")
    clocks = clock_contacts(events)
    said = {event["contact_id"]: event for event in events if read_time(event["timestamp"])}
    exported = {contact["contact_id"]: contact for contact in read_bronze(warehouse, "contacts")}
    return {key: _join(key, clocks.get(key), said.get(key), exported.get(key)) for key in {*clocks, *exported} if key}


def _join(key: str, clock: ContactClock | None, event: Record | None, exported: Record | None) -> Contact:
    known = event or exported or {}
    said = exported.get("direction") if exported else None
    queued_at = read_time(exported["queued_at"]) if exported else None
    return Contact(
        id=key,
        conversation=known["conversation_id"],
        customer=known["customer_id"],
        channel=clock.channel if clock else known["channel"],
        direction=said.upper() if said else clock.direction if clock else None,
        queued_at=queued_at or (clock.started_at if clock else None),
        ended_at=clock.ended_at if clock else None,
        clock=clock,
    )


def judge_conversations(warehouse: Path) -> dict[str, tuple[str, int, int]]:
    """Returns outcome, repeats and reopenings of each conversation whose first contact is known."""
    contacts = read_contacts(warehouse)
    events = read_bronze(warehouse, "conversation_timestamps")
    topics = _topics(events)
    reopened = defaultdict(set)
    for event in events:
        at = read_time(event["timestamp"])
        if event["event_type"] == "CONVERSATION/REOPENED" and at is not None:
            reopened[event["conversation_id"]].add((at, tuple(event.values())))
    horizon = max(at for one in contacts.values() if (at := one.ended_at or one.queued_at))
    of_conversation: dict[str, list[Contact]] = defaultdict(list)
    for contact in contacts.values():
        if contact.conversation:
            of_conversation[contact.conversation].append(contact)
    judged = {}
    for conversation, members in of_conversation.items():
        if all(member.queued_at for member in members):
            first = min(members, key=lambda one: (one.queued_at, one.id))
            repeats = sum(1 for _ in _repeats(first, contacts, topics))
            until = _watched_until(first)
            opened = sum(1 for at, _ in reopened[conversation] if first.queued_at and first.queued_at < at < until)
            judged[conversation] = (_outcome(first, repeats, opened, horizon), repeats, opened)
    return judged


def _outcome(first: Contact, repeats: int, opened: int, horizon: datetime) -> str:
    if first.direction != "INBOUND":
        return "not_inbound"
    if first.is_abandoned:
        return "abandoned"
    if repeats or opened:
        return "repeated" if repeats else "reopened"
    return "pending" if first.ended_at is None or horizon < _watched_until(first) else "resolved"


def _watched_until(first: Contact) -> datetime:
    since = first.ended_at or first.queued_at
    assert since is not None
    return since + WATCHED


def _repeats(first: Contact, contacts: dict[str, Contact], topics: dict[str, set[str]]) -> Iterator[Contact]:
    for other in contacts.values():
        if other.queued_at is None or first.queued_at is None or other is first:
            continue
        if not first.queued_at <= other.queued_at < _watched_until(first):
            continue
        shared = topics[str(first.conversation)] & topics[str(other.conversation)]
        same_customer = first.customer is not None and first.customer == other.customer
        if other.conversation == first.conversation or (same_customer and shared and other.queued_at > first.queued_at):
            yield other


def _topics(events: list[Record]) -> dict[str, set[str]]:
    topics: dict[str, set[str]] = defaultdict(set)
    timed = [(at, event) for event in events if (at := read_time(event["timestamp"]))]
    # By name, a topic is added before it is removed.
    for _, event in sorted(timed, key=lambda pair: (pair[0], str(pair[1]["event_type"]))):
        conversation, topic = str(event["conversation_id"]), event["topic_id"]
        if topic and event["event_type"] == "CONVERSATION/TOPIC_ADDED":
            topics[conversation].add(topic)
        elif topic and event["event_type"] == "CONVERSATION/TOPIC_REMOVED":
            topics[conversation].discard(topic)
    return topics


def count_half_hours(warehouse: Path) -> dict[tuple[datetime, str], tuple[int, int, int, int, float | None]]:
    """Returns offered, answered, in time, abandoned and the mean wait of the answered, by half hour and channel."""
    members: dict[tuple[datetime, str], list[Contact]] = defaultdict(list)
    for contact in read_contacts(warehouse).values():
        if contact.direction == "INBOUND" and contact.queued_at is not None and contact.channel:
            members[_half_hour(contact.queued_at), contact.channel].append(contact)
    return {key: _count(contacts, key[1]) for key, contacts in members.items()}


def _count(contacts: list[Contact], channel: str) -> tuple[int, int, int, int, float | None]:
    answered = [one for one in contacts if one.is_answered]
    waits = [one.clock.waited for one in answered if one.clock and one.is_timed]
    in_time = sum(1 for wait in waits if wait <= SECONDS_BY_CHANNEL.get(channel, OTHERWISE_SECONDS))
    abandoned = sum(1 for one in contacts if one.is_abandoned)
    return len(contacts), len(answered), in_time, abandoned, sum(waits) / len(waits) if waits else None


def _half_hour(moment: datetime) -> datetime:
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0, tzinfo=None)
