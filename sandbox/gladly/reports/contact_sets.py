"""Rows of the contact metric sets.

Columns of ContactTimestampsReport up to `Assigned Agent Name`, and of ContactExportReportV3 up to `Final IVR
Selection`, are those of Gladly's help pages (help.gladly.com/docs/contact-timestamps, connect.gladly.com
contact-export). The rest of both lists is not public as a whole: `Transferred To Inbox Name`, `Fulfilled by Contact ID`
and `Final IVR Selection` are known from a connector's tests, the others are named after the pattern of the conversation
export.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.gladly.contacts import (
    AGENT_ACTS,
    CUSTOMER_ACTS,
    FULFILLED,
    MESSAGE_RECEIVED,
    MESSAGE_SENT,
    OFFERED,
    REJECTED,
    RULE_ACTS,
    STARTED,
    TRANSFERRED,
    Contact,
    ContactEvent,
)
from sandbox.gladly.measures import measure
from sandbox.gladly.plans import CALL, EMAIL
from sandbox.gladly.reports.request import ReportRequest
from sandbox.gladly.roster import Agent, Roster
from sandbox.gladly.timeline import SECOND, write_optional_time, write_time
from sandbox.gladly.world import World

Row = Sequence[str | None]

CONTACT_TIMESTAMPS_COLUMNS = (
    "Timestamp",
    "Event Type",
    "Contact ID",
    "Conversation ID",
    "Customer ID",
    "Channel",
    "Initiator Type",
    "Initiator ID",
    "Initiator Agent Name",
    "Assigned Inbox ID",
    "Assigned Inbox Name",
    "Assigned Agent ID",
    "Assigned Agent Name",
    "Transferred To Inbox ID",
    "Transferred To Inbox Name",
    "Fulfilled by Contact ID",
    "Final IVR Selection",
)

CONTACT_EXPORT_COLUMNS = (
    "Queued At",
    "Customer ID",
    "Conversation ID",
    "Contact ID",
    "Link",
    "Channel",
    "Direction",
    "Contact Initiator",
    "Entry Point",
    "Final IVR Selection",
    "Inbox ID - First",
    "Inbox Name - First",
    "Inbox ID - Last",
    "Inbox Name - Last",
    "Agent ID - First Accepted",
    "Agent Name - First Accepted",
    "First Accepted At",
    "Fulfilled At",
    "Ended At",
    "Ended By",
    "Wait Time in seconds",
    "Hold Time in seconds",
    "Handle Time in seconds",
    "Times Offered",
    "Times Rejected",
    "Times Transferred",
    "Messages Sent",
    "Messages Received",
)

_SUPPORT_NUMBER = "+15550100"


def contact_timestamps(world: World, request: ReportRequest) -> Iterator[Row]:
    """Yields one row per contact event."""
    hidden = request.late_rows
    for event in world.contact_events(request.start, request.visible_end):
        if not request.wants_contact(event.contact, event.inbox):
            continue
        if hidden and hidden.hides(event.at, f"{event.contact.id}{event.number}"):
            continue
        yield _timestamp_row(event, world.roster)


def contact_export(world: World, request: ReportRequest) -> Iterator[Row]:
    """Yields one row per contact queued in the window; the columns of its end stay blank until it has ended."""
    hidden = request.late_rows
    for contact in world.contacts_started(request.start, request.visible_end):
        if not request.wants_contact(contact, None):
            continue
        if hidden and hidden.hides(contact.started_at, contact.id):
            continue
        yield (*_start_columns(contact, world), *_end_columns(contact, request.now))


def initiator_id(initiator: str, agent: Agent | None, customer: int, roster: Roster) -> str | None:
    """Returns the id of who acted, None for the system."""
    if initiator == AGENT_ACTS and agent is not None:
        return agent.id
    if initiator == CUSTOMER_ACTS:
        return roster.customer(customer).id
    return roster.routing_rule_id if initiator == RULE_ACTS else None


def _timestamp_row(event: ContactEvent, roster: Roster) -> Row:
    contact, by, inbox, agent, target = (
        event.contact, event.initiator_agent, event.inbox, event.agent, event.to_inbox,
    )  # fmt: skip
    return (
        write_time(event.at),
        f"CONTACT/{event.kind}",
        contact.id,
        contact.conversation_id,
        roster.customer(contact.customer).id,
        contact.channel,
        event.initiator,
        initiator_id(event.initiator, by, contact.customer, roster),
        by.name if by else None,
        inbox.id if inbox else None,
        inbox.name if inbox else None,
        agent.id if agent else None,
        agent.name if agent else None,
        target.id if target else None,
        target.name if target else None,
        contact.id if event.kind == FULFILLED else None,
        contact.ivr if event.kind == STARTED else None,
    )


def _start_columns(contact: Contact, world: World) -> Row:
    customer = world.roster.customer(contact.customer)
    link = f"https://{world.organization}.gladly.com/customer/{customer.id}/conversation/{contact.conversation_id}"
    return (
        write_time(contact.started_at),
        customer.id,
        contact.conversation_id,
        contact.id,
        link,
        contact.channel,
        "OUTBOUND" if contact.outbound else "INBOUND",
        contact.events[0].initiator,
        None if contact.outbound else entry_point(contact, world),
        contact.ivr,
        contact.inbox.id,
        contact.inbox.name,
    )


def entry_point(contact: Contact, world: World) -> str:
    """Returns the address that a customer reached out to."""
    if contact.channel == EMAIL:
        return f"support@{world.organization}.example.com"
    return f"{_SUPPORT_NUMBER}{1 if contact.channel == CALL else 2}"


def _end_columns(contact: Contact, now: int) -> Row:
    if contact.ended_at > now:
        return (None,) * 16
    times = measure(contact)
    wait = None if times.first_accepted_at is None else times.first_accepted_at - contact.started_at
    agent = times.first_agent
    return (
        times.last_inbox.id,
        times.last_inbox.name,
        agent.id if agent else None,
        agent.name if agent else None,
        write_optional_time(times.first_accepted_at),
        write_optional_time(times.fulfilled_at),
        write_time(times.ended_at),
        times.ended_by,
        write_seconds(wait),
        write_seconds(times.hold),
        write_seconds(times.handle),
        *(str(times.counts.get(kind, 0)) for kind in (OFFERED, REJECTED, TRANSFERRED, MESSAGE_SENT, MESSAGE_RECEIVED)),
    )


def write_seconds(duration: int | None) -> str | None:
    """Returns a duration in seconds with its milliseconds, or None."""
    return None if duration is None else f"{duration / SECOND:.3f}"
