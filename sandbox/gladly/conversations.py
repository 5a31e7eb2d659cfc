"""Plays a planned conversation out: its contacts, and what happens to the conversation around them."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from sandbox.gladly.contacts import (
    ACCEPTED,
    AGENT_ACTS,
    CUSTOMER_ACTS,
    RULE_ACTS,
    TRANSFERRED,
    Contact,
    ContactEvent,
    Script,
    play_contact,
)
from sandbox.gladly.plans import CALL, CHAT, EMAIL, FACEBOOK, SMS, VOICEMAIL, ConversationPlan
from sandbox.gladly.roster import Agent, Inbox, Roster, Topic
from sandbox.gladly.shifts import Shifts
from sandbox.gladly.timeline import HOUR, MINUTE, SECOND
from sandbox.seeded import identifier, random_stream, skewed

CREATED = "CONVERSATION/CREATED"
CLOSED = "CONVERSATION/CLOSED"
REOPENED = "CONVERSATION/REOPENED"
TOPIC_ADDED = "CONVERSATION/TOPIC_ADDED"
TOPIC_REMOVED = "CONVERSATION/TOPIC_REMOVED"
ASSIGNED = "CONVERSATION_ASSIGNEE/UPDATED"
NOTED = "NOTE/CREATED"
MERGED = "CUSTOMER/MERGED"

_INBOXES_BY_CHANNEL = {CALL: (0, 1), VOICEMAIL: (0,), EMAIL: (4, 5), CHAT: (2,), SMS: (2,), FACEBOOK: (3,)}
_TOPIC_BY_RULE_SHARE = 0.3
_SECOND_TOPIC_SHARE = 0.15
_TOPIC_REMOVED_SHARE = 0.04
_NOTE_SHARE = 0.22
_LONGEST_PAUSE = 6 * HOUR
_LONGEST_WRAP_UP = 4 * HOUR


class ConversationEvent(NamedTuple):
    """One row of the conversation timeline; inbox and agent are those before the event."""

    at: int
    kind: str
    conversation: Conversation
    number: int
    initiator: str
    initiator_agent: Agent | None
    inbox: Inbox | None
    agent: Agent | None
    topic: Topic | None = None
    new_inbox: Inbox | None = None
    new_agent: Agent | None = None
    reason: str | None = None


class Conversation:
    """One conversation with its whole life, also what is still to come."""

    __slots__ = ("contacts", "created_at", "customer", "events", "id", "merged_into", "plan")

    def __init__(self, conversation_id: str, plan: ConversationPlan) -> None:
        self.id = conversation_id
        self.plan = plan
        self.customer = plan.customer
        self.created_at = plan.created
        self.contacts: list[Contact] = []
        self.events: list[ConversationEvent] = []
        self.merged_into: int | None = None


def play_conversation(plan: ConversationPlan, roster: Roster, shifts: Shifts) -> Conversation:
    """Returns a conversation with everything that ever happens in it."""
    return _Play(plan, roster, shifts).run()


class _Play:
    """The state of one conversation while it is written."""

    def __init__(self, plan: ConversationPlan, roster: Roster, shifts: Shifts) -> None:
        self._plan = plan
        self._roster = roster
        self._shifts = shifts
        self._key = (roster.seed, roster.organization, plan.day, plan.number)
        self._stream: Random = random_stream(*self._key, "life")
        self._conversation = Conversation(identifier(*self._key, "conversation"), plan)
        self._inbox: Inbox | None = None
        self._agent: Agent | None = None

    def run(self) -> Conversation:
        plan = self._plan
        first = self._play_contact(plan.created, outbound=plan.outbound, slow=plan.slow)
        self._open(first)
        self._follow(first)
        last = first
        if plan.follow_up:
            pause = min(int(skewed(self._stream, 5400, 1.2) * SECOND), _LONGEST_PAUSE)
            last = self._play_contact(first.ended_at + pause, hurried=True)
            self._follow(last)
        if not plan.stays_open:
            self._close(last.ended_at)
        if plan.return_at:
            self._come_back(plan.return_at)
        if plan.merges:
            self._merge()
        return self._conversation

    def _play_contact(self, at: int, *, outbound: bool = False, slow: bool = False, hurried: bool = False) -> Contact:
        channel = self._plan.channel
        places = _INBOXES_BY_CHANNEL[channel]
        contacts = self._conversation.contacts
        contact = Contact(
            identifier(*self._key, "contact", len(contacts)),
            self._conversation.id,
            customer=self._plan.customer,
            channel=channel,
            inbox=self._roster.inboxes[places[int(self._stream.random() * len(places))]],
            outbound=outbound,
        )
        contacts.append(contact)
        script = Script(contact, at, stream=self._stream, shifts=self._shifts, inboxes=self._roster.inboxes)
        return play_contact(script, slow=slow, hurried=hurried)

    def _open(self, contact: Contact) -> None:
        start = contact.events[0]
        self._emit(start.at, CREATED, start.initiator, start.initiator_agent)
        self._assign(start.at + 40, RULE_ACTS, inbox=contact.inbox, reason="RULE")
        if contact.outbound:
            by = start.initiator_agent
            self._assign(start.at + 55, AGENT_ACTS, by=by, agent=by, reason="MANUAL")

    def _follow(self, contact: Contact) -> None:
        """Writes what a contact does to its conversation: who takes it and passes it on, then topics and a note."""
        for event in contact.events:
            if event.kind == ACCEPTED and event.initiator_agent is not self._agent:
                taker = event.initiator_agent
                self._assign(event.at + 15, AGENT_ACTS, by=taker, agent=taker, reason="ACCEPTED")
            elif event.kind == TRANSFERRED:
                self._hand_over(event)
        if self._agent is None:
            return
        if len(self._conversation.contacts) == 1:
            self._add_topics(contact.ended_at)
        if self._stream.random() < _NOTE_SHARE:
            self._emit(contact.ended_at + 12 * SECOND, NOTED, AGENT_ACTS, self._agent)

    def _hand_over(self, event: ContactEvent) -> None:
        self._emit_assignment(event.at + 20, event.initiator_agent, inbox=event.to_inbox)
        self._inbox = event.to_inbox
        self._agent = None

    def _add_topics(self, ended_at: int) -> None:
        usable = [topic for topic in self._roster.topics if not topic.disabled]
        draw = self._stream.random
        first = usable[int(draw() * len(usable))]
        by_rule = draw() < _TOPIC_BY_RULE_SHARE
        initiator, agent = (RULE_ACTS, None) if by_rule else (AGENT_ACTS, self._agent)
        self._emit(ended_at + 2 * SECOND, TOPIC_ADDED, initiator, agent, topic=first)
        second = usable[int(draw() * len(usable))]
        if draw() < _SECOND_TOPIC_SHARE and second is not first:
            self._emit(ended_at + 8 * SECOND, TOPIC_ADDED, AGENT_ACTS, self._agent, topic=second)
        elif draw() < _TOPIC_REMOVED_SHARE:
            self._emit(ended_at + 9 * SECOND, TOPIC_REMOVED, AGENT_ACTS, self._agent, topic=first)

    def _close(self, after: int) -> None:
        pause = min(int(skewed(self._stream, 240, 1.4) * SECOND), _LONGEST_WRAP_UP)
        by = self._agent
        self._emit(after + MINUTE // 4 + pause, CLOSED, AGENT_ACTS if by else RULE_ACTS, by)

    def _come_back(self, at: int) -> None:
        contact = self._play_contact(at, hurried=True)
        if not self._plan.stays_open:
            self._emit(at, REOPENED, CUSTOMER_ACTS)
        self._follow(contact)
        self._close(contact.ended_at)

    def _merge(self) -> None:
        """Merges the customer into another one at the end; Gladly then calls the conversation merged."""
        kept = (self._plan.customer + 1) % self._roster.customer_count
        self._conversation.merged_into = kept
        by = self._agent or self._shifts.pick_agent(self._conversation.events[-1].at, 0, self._stream.random())
        self._emit(self._conversation.events[-1].at + MINUTE, MERGED, AGENT_ACTS, by)

    def _assign(
        self, at: int, initiator: str, *, by: Agent | None = None, inbox: Inbox | None = None,
        agent: Agent | None = None, reason: str,
    ) -> None:  # fmt: skip
        self._emit(at, ASSIGNED, initiator, by, new_inbox=inbox or self._inbox, new_agent=agent, reason=reason)
        self._inbox = inbox or self._inbox
        self._agent = agent

    def _emit_assignment(self, at: int, by: Agent | None, *, inbox: Inbox | None) -> None:
        self._emit(at, ASSIGNED, AGENT_ACTS, by, new_inbox=inbox, reason="TRANSFERRED")

    def _emit(
        self, at: int, kind: str, initiator: str, by: Agent | None = None, *, topic: Topic | None = None,
        new_inbox: Inbox | None = None, new_agent: Agent | None = None, reason: str | None = None,
    ) -> None:  # fmt: skip
        events = self._conversation.events
        events.append(
            ConversationEvent(
                at, kind, self._conversation, len(events), initiator, by, self._inbox, self._agent,
                topic, new_inbox, new_agent, reason,
            )
        )  # fmt: skip
