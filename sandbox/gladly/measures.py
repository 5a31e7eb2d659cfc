"""What a contact's events add up to: waits, holds, and who had it in hand for how long."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.gladly.contacts import (
    ACCEPTED,
    ENDED,
    FULFILLED,
    HOLD_ENDED,
    HOLD_STARTED,
    STARTED,
    TRANSFERRED,
    Contact,
    ContactEvent,
)
from sandbox.gladly.roster import Agent, Inbox


@dataclass
class Stretch:
    """One agent's time with a contact, from taking it to passing it on or ending it; `end` is None while it lasts."""

    agent: Agent
    inbox: Inbox
    start: int
    end: int | None = None

    @property
    def length(self) -> int | None:
        """Milliseconds in the agent's hands, holds included; None while it lasts."""
        return None if self.end is None else self.end - self.start


@dataclass(frozen=True)
class ContactTimes:
    """What an ended contact adds up to; milliseconds, None where it did not happen.

    Args:
        handle: In agents' hands, holds included, waits after a transfer not.
        counts: How often each kind of event happened.
    """

    first_accepted_at: int | None
    first_agent: Agent | None
    fulfilled_at: int | None
    ended_at: int
    ended_by: str
    last_inbox: Inbox
    hold: int
    handle: int | None
    counts: dict[str, int]


def find_stretches(contact: Contact, now: int) -> list[Stretch]:
    """Returns who had a contact in hand, in order, as of a moment."""
    found: list[Stretch] = []
    inbox = contact.inbox
    for event in contact.events:
        if event.at > now:
            break
        taken = event.kind == ACCEPTED or (event.kind == STARTED and contact.outbound)
        if taken and event.initiator_agent is not None:
            found.append(Stretch(event.initiator_agent, inbox, event.at))
        elif event.kind == TRANSFERRED and found:
            found[-1].end = event.at
            inbox = event.to_inbox or inbox
        elif event.kind == ENDED and found:
            found[-1].end = event.at
    return found


def measure(contact: Contact) -> ContactTimes:
    """Returns what a contact adds up to once it has ended."""
    counts: dict[str, int] = {}
    firsts: dict[str, ContactEvent] = {}
    hold = held_since = 0
    inbox = contact.inbox
    for event in contact.events:
        counts[event.kind] = counts.get(event.kind, 0) + 1
        firsts.setdefault(event.kind, event)
        inbox = event.to_inbox or inbox
        if event.kind == HOLD_STARTED:
            held_since = event.at
        elif event.kind == HOLD_ENDED:
            hold += event.at - held_since
    stretches = find_stretches(contact, contact.ended_at)
    fulfilled = firsts.get(FULFILLED)
    return ContactTimes(
        first_accepted_at=stretches[0].start if stretches else None,
        first_agent=stretches[0].agent if stretches else None,
        fulfilled_at=fulfilled.at if fulfilled else None,
        ended_at=contact.ended_at,
        ended_by=firsts[ENDED].initiator,
        last_inbox=inbox,
        hold=hold,
        handle=sum(stretch.length or 0 for stretch in stretches) if stretches else None,
        counts=counts,
    )
