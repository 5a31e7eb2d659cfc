"""`GET /events`: what happened in the last day, as JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from sandbox.faults import LateRows
from sandbox.gladly.contacts import ContactEvent
from sandbox.gladly.conversations import NOTED, ConversationEvent
from sandbox.gladly.reports.contact_sets import initiator_id
from sandbox.gladly.timeline import DAY, SECOND, write_time
from sandbox.gladly.world import World
from sandbox.seeded import identifier

ENTITIES = frozenset(
    {
        "AGENT_AVAILABILITY",
        "AGENT_STATUS",
        "CONTACT",
        "CONVERSATION",
        "CUSTOMER",
        "CUSTOMER_PROFILE",
        "PAYMENT_REQUEST",
        "TASK",
    }
)
KEPT = DAY
# Events are up to 15 seconds behind real time.
DELAY = 15 * SECOND

Event = dict[str, Any]


def write_events(world: World, start: int, end: int, *, entities: set[str], late_rows: LateRows) -> bytes:
    """Returns the events of `[start, end)` of these entities as JSON lines, in order of time."""
    events = [
        event
        for source in (_contact_events, _conversation_events, _agent_events)
        for event in source(world, start, end)
        if _entity(event) in entities and not late_rows.hides(event["at"], event["id"])
    ]
    events.sort(key=lambda event: event["at"])
    return b"".join(orjson.dumps(_public(event), option=orjson.OPT_APPEND_NEWLINE) for event in events)


def _entity(event: Event) -> str:
    name = str(event["type"]).split("/", 1)[0]
    return "CONVERSATION" if name == "CONVERSATION_ASSIGNEE" else name


def _public(event: Event) -> Event:
    at = event.pop("at")
    return {"id": event["id"], "type": event["type"], "timestamp": write_time(at), **event}


def _contact_events(world: World, start: int, end: int) -> Iterator[Event]:
    for event in world.contact_events(start, end):
        contact = event.contact
        context = {
            "channel": contact.channel,
            "inboxId": event.inbox.id if event.inbox else None,
            "agentId": event.agent.id if event.agent else None,
        }
        yield {
            "at": event.at,
            "id": identifier(contact.id, "event", event.number),
            "type": f"CONTACT/{event.kind}",
            "initiator": _initiator(event, contact.customer, world),
            "content": {
                "contactId": contact.id,
                "conversationId": contact.conversation_id,
                "customerId": world.roster.customer(contact.customer).id,
                "context": context,
            },
        }


def _conversation_events(world: World, start: int, end: int) -> Iterator[Event]:
    for event in world.conversation_events(start, end):
        if event.kind == NOTED:
            continue
        content: Event = {
            "conversationId": event.conversation.id,
            "customerId": world.roster.customer(event.conversation.customer).id,
        }
        if event.topic is not None:
            content["topicId"] = event.topic.id
        if event.new_inbox is not None:
            content["newInboxId"] = event.new_inbox.id
            content["newAgentId"] = event.new_agent.id if event.new_agent else None
        yield {
            "at": event.at,
            "id": identifier(event.conversation.id, "event", event.number),
            "type": event.kind,
            "initiator": _initiator(event, event.conversation.customer, world),
            "content": content,
        }


def _agent_events(world: World, start: int, end: int) -> Iterator[Event]:
    for event in world.agent_events(start, end):
        content: Event = {"agentId": event.agent.id}
        if event.available_for is not None:
            content["context"] = {"availableFor": list(event.available_for)}
        if event.away_reason is not None:
            content["awayReason"] = event.away_reason
        yield {
            "at": event.at,
            "id": event.id,
            "type": event.kind,
            "initiator": {"id": event.agent.id, "type": "AGENT"},
            "content": content,
        }


def _initiator(event: ContactEvent | ConversationEvent, customer: int, world: World) -> Event:
    who = initiator_id(event.initiator, event.initiator_agent, customer, world.roster)
    return {"id": who, "type": event.initiator} if who else {"type": event.initiator}
