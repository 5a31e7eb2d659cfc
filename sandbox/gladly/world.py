"""One organisation's contact centre: everything that ever happens in it, found by time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from sandbox.gladly.contacts import Contact, ContactEvent
from sandbox.gladly.conversations import Conversation, ConversationEvent, play_conversation
from sandbox.gladly.plans import LONGEST_RETURN_DAYS, RETURN_SPAN, SLOW_SPAN, ConversationPlan, plan_day
from sandbox.gladly.roster import Roster
from sandbox.gladly.settings import GladlySettings
from sandbox.gladly.shifts import AgentDuration, AgentEvent, Shifts
from sandbox.gladly.timeline import DAY, days_between, local_date

# A conversation of a day before this many days cannot be busy any more.
_LOOK_BACK_DAYS = LONGEST_RETURN_DAYS + (SLOW_SPAN + RETURN_SPAN) // DAY + 1
_CACHED_PLAN_DAYS = 90
# About 3 KB each.
_CACHED_CONVERSATIONS = 20_000

Timed = TypeVar("Timed", ContactEvent, ConversationEvent)


class World:
    """Answers what happened in `[start, end)`, milliseconds of UTC; callers keep the future to themselves."""

    def __init__(self, organization: str, *, seed: int, settings: GladlySettings) -> None:
        self.organization = organization
        self.zone = ZoneInfo(settings.organizations[organization])
        self.roster = Roster(seed, organization)
        self._settings = settings
        self._shifts = Shifts(self.roster, self.zone)
        self._plans = lru_cache(maxsize=_CACHED_PLAN_DAYS)(self._plan)
        self._conversation = lru_cache(maxsize=_CACHED_CONVERSATIONS)(self._play)

    def contact_events(self, start: int, end: int) -> Iterator[ContactEvent]:
        """Yields the events of contacts in order of time."""
        return self._in_order(start, end, lambda talk: (e for contact in talk.contacts for e in contact.events))

    def conversation_events(self, start: int, end: int) -> Iterator[ConversationEvent]:
        """Yields the events of conversations in order of time."""
        return self._in_order(start, end, lambda conversation: iter(conversation.events))

    def contacts_started(self, start: int, end: int) -> Iterator[Contact]:
        """Yields the contacts that were queued in a window, in order of time."""
        for event in self.contact_events(start, end):
            if event.number == 0:
                yield event.contact

    def conversations_created(self, start: int, end: int) -> Iterator[Conversation]:
        """Yields the conversations that were created in a window, in order of time."""
        for day in self._local_days(start, end, look_back=0):
            for plan in self._plans(day):
                if start <= plan.created < end:
                    yield self._conversation(day, plan.number)

    def conversations_busy(self, start: int, end: int) -> Iterator[Conversation]:
        """Yields the conversations in which something may happen in a window, oldest first."""
        for day in self._local_days(start, end, look_back=_LOOK_BACK_DAYS):
            for plan in self._plans(day):
                if plan.touches(start, end):
                    yield self._conversation(day, plan.number)

    def agent_events(self, start: int, end: int) -> Iterator[AgentEvent]:
        """Yields the status and availability events of agents in order of time."""
        found = (
            event
            for day in self._local_days(start, end, look_back=1, look_ahead=1)
            for event in self._shifts.events_of_day(day)
            if start <= event.at < end
        )
        return iter(sorted(found, key=lambda event: (event.at, event.agent.number)))

    def agent_durations(self, start: int, end: int) -> Iterator[AgentDuration]:
        """Yields the active and away spans that begin in a window, in order of time."""
        found = (
            span
            for day in self._local_days(start, end, look_back=1, look_ahead=1)
            for span in self._shifts.durations_of_day(day)
            if start <= span.start < end
        )
        return iter(sorted(found, key=lambda span: (span.start, span.agent.number)))

    def _in_order(self, start: int, end: int, events_of: Callable[[Conversation], Iterator[Timed]]) -> Iterator[Timed]:
        # Day by day, so that a report that stops at its cap does not play out a year first.
        for left in range(start, end, DAY):
            right = min(left + DAY, end)
            found = [
                event
                for conversation in self.conversations_busy(left, right)
                for event in events_of(conversation)
                if left <= event.at < right
            ]
            # Conversations come in a fixed order and the sort is stable: ties never move.
            found.sort(key=lambda event: event.at)
            yield from found

    def _local_days(self, start: int, end: int, *, look_back: int, look_ahead: int = 0) -> Iterator[date]:
        if start >= end:
            return iter(())
        first = local_date(start, self.zone) - timedelta(days=look_back)
        last = local_date(end - 1, self.zone) + timedelta(days=look_ahead)
        return days_between(max(first, self._settings.opened_on), last)

    def _plan(self, day: date) -> list[ConversationPlan]:
        return plan_day(
            day,
            self.zone,
            key=(self.roster.seed, self.organization),
            volume=self._settings.conversations_per_day,
            customers=self.roster.customer_count,
        )

    def _play(self, day: date, number: int) -> Conversation:
        return play_conversation(self._plans(day)[number], self.roster, self._shifts)
