"""Conversation items: what customers and agents said and did, as export jobs write it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sandbox.gladly.contacts import AGENT_ACTS, ENDED, MESSAGE_RECEIVED, MESSAGE_SENT, STARTED, ContactEvent
from sandbox.gladly.conversations import CLOSED, CREATED, NOTED, REOPENED, TOPIC_ADDED, ConversationEvent
from sandbox.gladly.measures import measure
from sandbox.gladly.plans import CALL, CHAT, EMAIL, FACEBOOK, SMS, VOICEMAIL
from sandbox.gladly.reports.contact_sets import entry_point, initiator_id
from sandbox.gladly.timeline import SECOND, write_time
from sandbox.gladly.world import World
from sandbox.seeded import identifier

Item = dict[str, Any]

_MESSAGE_TYPES = {CHAT: "CHAT_MESSAGE", SMS: "SMS", EMAIL: "EMAIL", FACEBOOK: "FACEBOOK_MESSAGE"}
_QUESTIONS = (
    'Hi,\nwhere is my order? It said "two days" 😕',
    "I would like to exchange a frame; it doesn't fit.",
    "Bonjour, le verre gauche est rayé.\r\n\r\nMerci, Chloé",
    "Can you refund the shipping, please?",
)
_ANSWERS = (
    "Hello! I am looking into it.\nOne moment, please.",
    "Done: a label is on its way to you.",
    "Thanks for waiting, the refund is booked.",
)
_STATUS_BY_EVENT = {CREATED: "OPEN", REOPENED: "OPEN", CLOSED: "CLOSED"}


def conversation_items(world: World, start: int, end: int) -> Iterator[tuple[Item, int]]:
    """Yields the items of a window and their customers' numbers: those of contacts, then those of conversations."""
    for event in world.contact_events(start, end):
        content = _contact_content(event, world)
        if content is not None:
            item_id = identifier(event.contact.id, "item", event.number)
            yield _item(world, event, event.contact.customer, (item_id, event.contact.conversation_id, content))
    for change in world.conversation_events(start, end):
        content = _conversation_content(change)
        if content is not None:
            item_id = identifier(change.conversation.id, "item", change.number)
            yield _item(world, change, change.conversation.customer, (item_id, change.conversation.id, content))


def _item(
    world: World, event: ContactEvent | ConversationEvent, customer: int, parts: tuple[str, str, Item]
) -> tuple[Item, int]:
    item_id, conversation_id, content = parts
    customer_id = world.roster.customer(customer).id
    item: Item = {
        "id": item_id,
        "conversationId": conversation_id,
        "customerId": customer_id,
        "timestamp": write_time(event.at),
        "content": content,
    }
    initiator = initiator_id(event.initiator, event.initiator_agent, customer, world.roster)
    if initiator is not None:
        item["initiator"] = {"id": initiator, "type": event.initiator}
    if event.initiator == AGENT_ACTS:
        item["responder"] = {"id": customer_id, "type": "CUSTOMER"}
    return item, customer


def _contact_content(event: ContactEvent, world: World) -> Item | None:
    channel = event.contact.channel
    if event.kind == STARTED and channel == CALL:
        return _call_content(event, world)
    if event.kind == MESSAGE_RECEIVED and channel == VOICEMAIL:
        return {"type": "VOICEMAIL", "from": world.roster.customer(event.contact.customer).phone}
    if event.kind in {MESSAGE_RECEIVED, MESSAGE_SENT} and channel in _MESSAGE_TYPES:
        return _message_content(event, world)
    return None


def _message_content(event: ContactEvent, world: World) -> Item:
    texts = _ANSWERS if event.kind == MESSAGE_SENT else _QUESTIONS
    text = texts[(event.at // SECOND) % len(texts)]
    if event.contact.channel != EMAIL:
        return {"type": _MESSAGE_TYPES[event.contact.channel], "body": text}
    customer = world.roster.customer(event.contact.customer).email
    ours = entry_point(event.contact, world)
    sender, receiver = (ours, customer) if event.kind == MESSAGE_SENT else (customer, ours)
    return {"type": "EMAIL", "from": sender, "to": [receiver], "subject": "Your order", "bodyPlain": text}


def _call_content(event: ContactEvent, world: World) -> Item:
    contact = event.contact
    times = measure(contact)
    ours, theirs = entry_point(contact, world), world.roster.customer(contact.customer).phone
    caller, called = (ours, theirs) if contact.outbound else (theirs, ours)
    content: Item = {
        "type": "PHONE_CALL",
        "startedAt": write_time(event.at),
        "completedAt": write_time(next(e.at for e in contact.events if e.kind == ENDED)),
        "from": caller,
        "to": called,
    }
    if times.first_accepted_at is not None:
        item_id = identifier(contact.id, "item", event.number)
        content["answeredAt"] = write_time(times.first_accepted_at)
        content["recordingUrl"] = f"/api/v1/conversation-items/{item_id}/media/recording"
        content["recordingStatus"] = "AVAILABLE"
        content["recordingDuration"] = (times.handle or 0) // SECOND
    return content


def _conversation_content(event: ConversationEvent) -> Item | None:
    if event.kind in _STATUS_BY_EVENT:
        return {"type": "CONVERSATION_STATUS_CHANGE", "status": _STATUS_BY_EVENT[event.kind]}
    if event.kind == TOPIC_ADDED and event.topic is not None:
        return {"type": "TOPIC_CHANGE", "addedTopicIds": [event.topic.id]}
    if event.kind == NOTED:
        return {"type": "CONVERSATION_NOTE", "body": "Called the carrier;\nthey will ring back."}
    return None
