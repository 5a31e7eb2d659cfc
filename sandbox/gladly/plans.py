"""The cheap half of the simulation: which conversations a day begins, before anything happens in them.

A plan is a few draws, so a report on one day can look through the plans of the weeks before it for conversations that
come back on that day, and play out only those.
"""

from __future__ import annotations

from bisect import bisect
from datetime import date
from itertools import accumulate
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sandbox.gladly.timeline import DAY, HOUR, local_hours
from sandbox.seeded import random_stream

CALL = "PHONE_CALL"
EMAIL = "EMAIL"
CHAT = "CHAT"
SMS = "SMS"
VOICEMAIL = "VOICEMAIL"
FACEBOOK = "FB_MESSENGER"

# How long a conversation of each sort can stay busy; `conversations.py` keeps to it, and a test holds it to that.
QUICK_SPAN = 8 * HOUR
LONG_SPAN = 48 * HOUR
SLOW_SPAN = 6 * DAY
RETURN_SPAN = 48 * HOUR
LONGEST_RETURN_DAYS = 14

_CHANNELS = (CALL, EMAIL, CHAT, SMS, VOICEMAIL, FACEBOOK)
_DAY_SHARES = tuple(accumulate((0.38, 0.30, 0.18, 0.09, 0.03, 0.02)))
_NIGHT_SHARES = tuple(accumulate((0.05, 0.55, 0.15, 0.08, 0.15, 0.02)))
_FIRST_DAY_HOUR, _LAST_DAY_HOUR = 7, 22
# How busy a weekday (Monday first) and a local hour are.
_WEEKDAYS = (1.2, 1.08, 1.0, 0.98, 0.94, 0.6, 0.48)
_HOURS = (2, 1, 1, 1, 1, 2, 5, 14, 34, 60, 72, 70, 62, 60, 62, 60, 56, 50, 40, 34, 28, 20, 10, 5)
_OUTBOUND_SHARE = 0.08
_FOLLOW_UP_SHARE = 0.16
_SLOW_SHARE = 0.1
_STAYS_OPEN_SHARE = 0.03
_RETURN_SHARE = 0.09
_MERGE_SHARE = 0.006


class ConversationPlan(NamedTuple):
    """A conversation before anything happens in it; times in milliseconds of UTC, 0 where there is none."""

    day: date
    number: int
    created: int
    customer: int
    channel: str
    outbound: bool
    follow_up: bool
    slow: bool
    stays_open: bool
    merges: bool
    return_at: int

    def touches(self, start: int, end: int) -> bool:
        """Returns whether something could happen in it within `[start, end)`."""
        if self.created < end and start <= self.created + self.span:
            return True
        return self.return_at > 0 and self.return_at < end and start <= self.return_at + RETURN_SPAN

    @property
    def span(self) -> int:
        """How long after its creation it can stay busy, a later return aside."""
        if self.slow:
            return SLOW_SPAN
        if self.follow_up or self.channel in {EMAIL, VOICEMAIL}:
            return LONG_SPAN
        return QUICK_SPAN


def plan_day(
    day: date, zone: ZoneInfo, *, key: tuple[object, ...], volume: int, customers: int
) -> list[ConversationPlan]:
    """Returns the conversations that begin on a local day, in order of time.

    Args:
        day: A day of the organisation's calendar.
        zone: The organisation's.
        key: The seed and the organisation.
        volume: Conversations on an average weekday.
        customers: How many customers there are to draw from.
    """
    stream = random_stream(*key, "plans", day)
    hours = local_hours(day, zone)
    weights = list(accumulate(_HOURS[hour] for _, hour in hours))
    count = round(volume * _WEEKDAYS[day.weekday()] * (0.9 + 0.2 * stream.random()))
    arrivals = sorted(_draw_arrival(stream, hours, weights) for _ in range(count))
    return [_draw_plan(stream, day, number, arrival, customers) for number, arrival in enumerate(arrivals)]


def _draw_arrival(stream: Random, hours: list[tuple[int, int]], weights: list[int]) -> tuple[int, int]:
    start, hour = hours[bisect(weights, stream.random() * weights[-1])]
    return start + int(stream.random() * HOUR), hour


def _draw_plan(stream: Random, day: date, number: int, arrival: tuple[int, int], customers: int) -> ConversationPlan:
    created, hour = arrival
    draw = stream.random
    shares = _DAY_SHARES if _FIRST_DAY_HOUR <= hour < _LAST_DAY_HOUR else _NIGHT_SHARES
    channel = _CHANNELS[min(bisect(shares, draw()), len(_CHANNELS) - 1)]
    outbound = draw() < _OUTBOUND_SHARE and channel in {CALL, EMAIL, SMS}
    slow = draw() < _SLOW_SHARE and channel == EMAIL and not outbound
    returns = draw() < _RETURN_SHARE
    back_after = int((1 + draw() * (LONGEST_RETURN_DAYS - 1)) * DAY) + (SLOW_SPAN if slow else LONG_SPAN)
    return ConversationPlan(
        day=day,
        number=number,
        created=created,
        customer=int(draw() * customers),
        channel=channel,
        outbound=outbound,
        follow_up=draw() < _FOLLOW_UP_SHARE,
        slow=slow,
        stays_open=draw() < _STAYS_OPEN_SHARE,
        merges=draw() < _MERGE_SHARE,
        return_at=created + back_after if returns else 0,
    )
