"""One contact: what customer, agent and system do in it, from its start to its end."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from sandbox.gladly.plans import CALL, CHAT, EMAIL, VOICEMAIL
from sandbox.gladly.roster import Agent, Inbox
from sandbox.gladly.shifts import Shifts
from sandbox.gladly.timeline import HOUR, MINUTE, SECOND
from sandbox.seeded import skewed

CUSTOMER_ACTS = "CUSTOMER"
AGENT_ACTS = "AGENT"
SYSTEM_ACTS = "SYSTEM"
RULE_ACTS = "AUTOMATION"

STARTED = "STARTED"
OFFERED = "OFFERED"
ACCEPTED = "OFFER_ACCEPTED"
REJECTED = "OFFER_REJECTED"
TRANSFERRED = "TRANSFERRED"
HOLD_STARTED = "HOLD_STARTED"
HOLD_ENDED = "HOLD_ENDED"
MESSAGE_SENT = "MESSAGE_SENT"
MESSAGE_RECEIVED = "MESSAGE_RECEIVED"
FULFILLED = "FULFILLED"
ENDED = "ENDED"

_CALL_ABANDON_SHARE = 0.09
_CHAT_ABANDON_SHARE = 0.06
_REJECT_SHARE = 0.08
_TRANSFER_SHARE = 0.07
_HOLD_SHARE = 0.28
_MOST_HOLDS = 5
_EXCHANGE_SHARE = 0.55
_MOST_EXCHANGES = 8
_CUSTOMER_HANGS_UP_SHARE = 0.6
_IVR_MENU = ("1 - Orders", "1 - Orders\n2 - Order status", "2 - Returns", '3 - "Something else"', "0 - Agent")

# Longest waits, so that a conversation keeps within the spans its plan states.
_LONGEST_ANSWER = 20 * HOUR
_LONGEST_SLOW_ANSWER = 96 * HOUR
_LONGEST_FOLLOW_UP_ANSWER = 6 * HOUR


class ContactEvent(NamedTuple):
    """One row of the contact timeline; inbox and agent are those before the event, as Gladly reports them."""

    at: int
    kind: str
    contact: Contact
    number: int
    initiator: str
    initiator_agent: Agent | None
    inbox: Inbox | None
    agent: Agent | None
    to_inbox: Inbox | None


class Contact:
    """One exchange on one channel, with all its events in order, also those still in the future."""

    __slots__ = ("channel", "conversation_id", "customer", "events", "id", "inbox", "ivr", "outbound")

    def __init__(
        self, contact_id: str, conversation_id: str, *, customer: int, channel: str, inbox: Inbox, outbound: bool
    ) -> None:
        self.id = contact_id
        self.conversation_id = conversation_id
        self.customer = customer
        self.channel = channel
        self.inbox = inbox
        self.outbound = outbound
        self.ivr: str | None = None
        self.events: list[ContactEvent] = []

    @property
    def started_at(self) -> int:
        """When it was queued, or begun by an agent."""
        return self.events[0].at

    @property
    def ended_at(self) -> int:
        """When it ends; may lie in the future."""
        return self.events[-1].at


class Script:
    """Writes one contact's events, keeping the time and who holds the contact."""

    def __init__(self, contact: Contact, at: int, *, stream: Random, shifts: Shifts, inboxes: list[Inbox]) -> None:
        self.contact = contact
        self.at = at
        self.stream = stream
        self._shifts = shifts
        self._inboxes = inboxes
        self.inbox: Inbox | None = None
        self.agent: Agent | None = None

    def emit(self, kind: str, initiator: str, *, by: Agent | None = None, to_inbox: Inbox | None = None) -> None:
        """Adds an event at the present time."""
        events = self.contact.events
        events.append(
            ContactEvent(self.at, kind, self.contact, len(events), initiator, by, self.inbox, self.agent, to_inbox)
        )

    def wait(self, median_seconds: float, spread: float = 1.0, *, longest: int | None = None) -> None:
        """Lets a drawn time pass."""
        passed = int(skewed(self.stream, median_seconds, spread) * SECOND)
        self.at += passed if longest is None else min(passed, longest)

    def begin(self, initiator: str, by: Agent | None = None) -> None:
        """Starts the contact in its inbox."""
        self.emit(STARTED, initiator, by=by)
        self.inbox = self.contact.inbox

    def offer(self, answer_seconds: float) -> None:
        """Offers the contact until an agent takes it; each may reject it once."""
        while True:
            self.emit(OFFERED, SYSTEM_ACTS)
            agent = self.choose_agent()
            self.wait(answer_seconds, 0.6)
            if self.stream.random() >= _REJECT_SHARE:
                break
            self.emit(REJECTED, AGENT_ACTS, by=agent)
            self.at += SECOND
        self.emit(ACCEPTED, AGENT_ACTS, by=agent)
        self.agent = agent

    def choose_agent(self) -> Agent:
        """Returns somebody who is at work and can take the contact."""
        inbox = self.inbox or self.contact.inbox
        return self._shifts.pick_agent(self.at, inbox.team, self.stream.random())

    def act(self, kind: str) -> None:
        """Adds an event of the agent who holds the contact."""
        self.emit(kind, AGENT_ACTS, by=self.agent)

    def transfer(self) -> None:
        """Hands the contact to another inbox."""
        others = [inbox for inbox in self._inboxes if inbox is not self.inbox]
        target = others[int(self.stream.random() * len(others))]
        self.emit(TRANSFERRED, AGENT_ACTS, by=self.agent, to_inbox=target)
        self.inbox = target
        self.agent = None
        self.at += SECOND

    def chance(self, share: float) -> bool:
        """Draws whether something with this share happens."""
        return self.stream.random() < share


def play_contact(script: Script, *, slow: bool = False, hurried: bool = False) -> Contact:
    """Writes all events of a contact by its channel.

    A `slow` one is answered after days, a `hurried` one within hours, as in a conversation that is already going on.
    """
    contact = script.contact
    if contact.outbound:
        _play_outbound(script)
    elif contact.channel in {EMAIL, VOICEMAIL}:
        _play_mail(script, slow=slow, hurried=hurried)
    elif contact.channel == CALL:
        _play_call(script)
    else:
        _play_messages(script, pace_seconds=25 if contact.channel == CHAT else 110)
    return contact


def _play_call(script: Script) -> None:
    script.contact.ivr = _IVR_MENU[int(script.stream.random() * len(_IVR_MENU))]
    script.begin(CUSTOMER_ACTS)
    if script.chance(_CALL_ABANDON_SHARE):
        script.wait(75, 0.9)
        script.emit(ENDED, CUSTOMER_ACTS)
        return
    script.wait(22, 1.1)
    script.offer(6)
    script.act(FULFILLED)
    _talk(script)
    if script.chance(_TRANSFER_SHARE):
        script.transfer()
        script.offer(9)
        _talk(script)
    if script.chance(_CUSTOMER_HANGS_UP_SHARE):
        script.emit(ENDED, CUSTOMER_ACTS)
    else:
        script.act(ENDED)


def _talk(script: Script) -> None:
    script.wait(140, 0.8)
    for _ in range(_MOST_HOLDS):
        if not script.chance(_HOLD_SHARE):
            break
        script.act(HOLD_STARTED)
        script.wait(45, 0.9)
        script.act(HOLD_ENDED)
        script.wait(80, 0.8)


def _play_messages(script: Script, *, pace_seconds: float) -> None:
    script.begin(CUSTOMER_ACTS)
    script.emit(MESSAGE_RECEIVED, CUSTOMER_ACTS)
    if script.chance(_CHAT_ABANDON_SHARE):
        script.wait(240, 0.6)
        script.emit(ENDED, SYSTEM_ACTS)
        return
    script.wait(40, 1.2)
    script.offer(8)
    script.wait(pace_seconds)
    script.act(MESSAGE_SENT)
    script.act(FULFILLED)
    _exchange(script, pace_seconds)
    script.act(ENDED)


def _play_mail(script: Script, *, slow: bool, hurried: bool) -> None:
    script.begin(CUSTOMER_ACTS)
    script.emit(MESSAGE_RECEIVED, CUSTOMER_ACTS)
    if slow:
        script.wait(45 * HOUR / SECOND, 0.5, longest=_LONGEST_SLOW_ANSWER)
    elif hurried:
        script.wait(1.2 * HOUR / SECOND, 0.9, longest=_LONGEST_FOLLOW_UP_ANSWER)
    else:
        script.wait(2.5 * HOUR / SECOND, 1.3, longest=_LONGEST_ANSWER)
    script.offer(30)
    script.wait(260, 0.8)
    if script.chance(_TRANSFER_SHARE):
        script.transfer()
        script.offer(30)
        script.wait(260, 0.8)
    script.act(MESSAGE_SENT)
    script.act(FULFILLED)
    script.wait(12, 0.5)
    script.act(ENDED)


def _play_outbound(script: Script) -> None:
    agent = script.choose_agent()
    script.begin(AGENT_ACTS, by=agent)
    script.agent = agent
    if script.contact.channel == CALL:
        _talk(script)
    else:
        script.wait(30, 0.5)
        script.act(MESSAGE_SENT)
        script.at += MINUTE // 2
    script.act(ENDED)


def _exchange(script: Script, pace_seconds: float) -> None:
    for _ in range(_MOST_EXCHANGES):
        if not script.chance(_EXCHANGE_SHARE):
            break
        script.wait(pace_seconds)
        script.emit(MESSAGE_RECEIVED, CUSTOMER_ACTS)
        script.wait(pace_seconds)
        script.act(MESSAGE_SENT)
    script.wait(50, 0.7)
