"""Rows of the conversation metric sets.

Columns of ConversationTimestampsReport are those of a Singer tap's schema (harrystech/tap-gladly), of
ConversationExportReport those that two connectors agree on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.gladly.conversations import (
    CLOSED,
    MERGED,
    REOPENED,
    TOPIC_ADDED,
    TOPIC_REMOVED,
    Conversation,
    ConversationEvent,
)
from sandbox.gladly.measures import measure
from sandbox.gladly.reports.contact_sets import initiator_id, write_seconds
from sandbox.gladly.reports.request import ReportRequest
from sandbox.gladly.roster import Agent, Inbox, Roster, Topic
from sandbox.gladly.timeline import write_optional_time, write_time
from sandbox.gladly.world import World

Row = Sequence[str | None]

CONVERSATION_TIMESTAMPS_COLUMNS = (
    "Timezone Filter",
    "Timestamp",
    "Event Type",
    "Conversation ID",
    "Customer ID",
    "Initiator Type",
    "Initiator ID",
    "Initiator Agent Name",
    "Assigned Inbox ID",
    "Assigned Inbox Name",
    "Assigned Agent ID",
    "Assigned Agent Name",
    "Topic ID",
    "Topic Name",
    "Newly Assigned Inbox ID",
    "Newly Assigned Inbox Name",
    "Newly Assigned Agent ID",
    "Newly Assigned Agent Name",
    "Assignment Update Reason",
    "Merged Customer ID",
    "Merged Conversation ID",
)

CONVERSATION_EXPORT_COLUMNS = (
    "Timezone Filter",
    "Inboxes Filter",
    "Created At",
    "Conversation ID",
    "Customer ID",
    "Conversation Link",
    "Status",
    "Assigned Agent ID - Current",
    "Assigned Agent Name - Current",
    "Inbox ID - Current",
    "Inbox Name - Current",
    "First Closed At",
    "Last Closed At",
    "Initiator Type - Created",
    "Initiator Agent ID - Created",
    "Inbox ID - Created",
    "Assigned Agent ID - Created",
    "Topics",
    "Topics with Hierarchy",
    "First Contact ID",
    "First Channel",
    "Last Channel",
    "Created-to-First Closed Time",
    "Created-to-Last Closed Time",
    "Conversation Handle Time",
    "Count of Contacts",
    "Count of Agents",
    "Count of Inboxes Assigned",
    "Times Closed",
    "Times Reopened",
)


def conversation_timestamps(world: World, request: ReportRequest) -> Iterator[Row]:
    """Yields one row per conversation event."""
    hidden = request.late_rows
    for event in world.conversation_events(request.start, request.visible_end):
        if not request.wants_inbox(event.inbox or event.new_inbox):
            continue
        if hidden and hidden.hides(event.at, f"{event.conversation.id}{event.number}"):
            continue
        yield _timestamp_row(event, world.roster, str(request.zone))


def conversation_export(world: World, request: ReportRequest) -> Iterator[Row]:
    """Yields one row per conversation created in the window, as it stands now; rows restate for weeks."""
    hidden = request.late_rows
    for conversation in world.conversations_created(request.start, request.visible_end):
        state = ConversationState(conversation, request.now)
        if not request.wants_inbox(state.inbox):
            continue
        if hidden and hidden.hides(conversation.created_at, conversation.id):
            continue
        yield _export_row(state, world, request)


class ConversationState:
    """A conversation as it stands at a moment, from the events up to it."""

    def __init__(self, conversation: Conversation, now: int) -> None:
        self.conversation = conversation
        self.now = now
        self.closed: list[int] = []
        self.reopened = 0
        self.merged = False
        self.topics: list[Topic] = []
        self.inbox: Inbox | None = None
        self.agent: Agent | None = None
        self.created_with: tuple[Inbox | None, Agent | None] = (None, None)
        self._inboxes: set[str] = set()
        self._agents: set[str] = set()
        for event in conversation.events:
            if event.at <= now:
                self._apply(event)

    @property
    def status(self) -> str:
        """OPEN, CLOSED or MERGED."""
        if self.merged:
            return "MERGED"
        return "CLOSED" if len(self.closed) > self.reopened else "OPEN"

    @property
    def agent_count(self) -> int:
        """How many agents it was ever assigned to."""
        return len(self._agents)

    @property
    def inbox_count(self) -> int:
        """How many inboxes it was ever assigned to."""
        return len(self._inboxes)

    def _apply(self, event: ConversationEvent) -> None:
        if event.new_inbox is not None:
            self._assign(event.new_inbox, event.new_agent)
        elif event.kind == CLOSED:
            self.closed.append(event.at)
        elif event.kind == REOPENED:
            self.reopened += 1
        elif event.kind == MERGED:
            self.merged = True
        elif event.kind == TOPIC_ADDED and event.topic is not None:
            self.topics.append(event.topic)
        elif event.kind == TOPIC_REMOVED:
            self.topics = [topic for topic in self.topics if topic is not event.topic]

    def _assign(self, inbox: Inbox, agent: Agent | None) -> None:
        if self.inbox is None:
            self.created_with = (inbox, agent)
        self.inbox, self.agent = inbox, agent
        self._inboxes.add(inbox.id)
        if agent is not None:
            self._agents.add(agent.id)


def _timestamp_row(event: ConversationEvent, roster: Roster, zone: str) -> Row:
    conversation, by = event.conversation, event.initiator_agent
    own_customer = roster.customer(conversation.customer).id
    merged = event.kind == MERGED and conversation.merged_into is not None
    kept = roster.customer(conversation.merged_into).id if merged and conversation.merged_into is not None else None
    topic = event.topic
    return (
        zone,
        write_time(event.at),
        event.kind,
        conversation.id,
        kept or own_customer,
        event.initiator,
        initiator_id(event.initiator, by, conversation.customer, roster),
        by.name if by else None,
        *_id_and_name(event.inbox),
        *_id_and_name(event.agent),
        topic.id if topic else None,
        topic.name if topic else None,
        *_id_and_name(event.new_inbox),
        *_id_and_name(event.new_agent),
        event.reason,
        own_customer if merged else None,
        conversation.id if merged else None,
    )


def _export_row(state: ConversationState, world: World, request: ReportRequest) -> Row:
    conversation = state.conversation
    customer = world.roster.customer(conversation.customer).id
    first = conversation.events[0]
    created_inbox, created_agent = state.created_with
    link = f"https://{world.organization}.gladly.com/customer/{customer}/conversation/{conversation.id}"
    return (
        str(request.zone),
        "All" if request.inboxes is None else ",".join(sorted(request.inboxes)),
        write_time(conversation.created_at),
        conversation.id,
        customer,
        link,
        state.status,
        *_id_and_name(state.agent),
        *_id_and_name(state.inbox),
        write_optional_time(state.closed[0] if state.closed else None),
        write_optional_time(state.closed[-1] if state.closed else None),
        first.initiator,
        first.initiator_agent.id if first.initiator_agent else None,
        created_inbox.id if created_inbox else None,
        created_agent.id if created_agent else None,
        ",".join(topic.name for topic in state.topics) or None,
        ",".join(topic.path for topic in state.topics) or None,
        *_contact_columns(state),
    )


def _contact_columns(state: ConversationState) -> Row:
    conversation = state.conversation
    contacts = [contact for contact in conversation.contacts if contact.started_at <= state.now]
    ended = [measure(contact) for contact in contacts if contact.ended_at <= state.now]
    handle = sum(times.handle for times in ended if times.handle is not None)
    spans = [closed - conversation.created_at for closed in state.closed]
    return (
        contacts[0].id,
        contacts[0].channel,
        contacts[-1].channel,
        write_seconds(spans[0] if spans else None),
        write_seconds(spans[-1] if spans else None),
        write_seconds(handle) if ended else None,
        str(len(contacts)),
        str(state.agent_count),
        str(state.inbox_count),
        str(len(state.closed)),
        str(state.reopened),
    )


def _id_and_name(thing: Inbox | Agent | None) -> tuple[str | None, str | None]:
    return (None, None) if thing is None else (thing.id, thing.name)
