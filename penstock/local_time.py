"""Local clocks and instants: the one rule by which local times become instants, and what follows from it.

The rule, in the words of PEP 495: a local time that exists twice means its first occurrence (`fold=0`), and a local
time that a clock change skips means the instant of that change. So the rule never turns time back: of two local
times, the later one is never mapped to the earlier instant. Windows that meet on the local clock therefore meet as
instants, without gap or overlap. (`fold=0` alone would map a skipped 02:30 to 03:30, behind 03:00.)
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from penstock.errors import ConfigurationError
from penstock.window import CalendarDuration


def to_utc(moment: datetime) -> datetime:
    """Returns an aware time in UTC, as a plain `datetime` whatever subclass came (Prefect gives pendulum's).

    Raises:
        ConfigurationError: The time has no zone.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ConfigurationError(
            "A time has no zone", guidance="Give its offset, such as 2026-03-20T10:00:00Z.", time=str(moment)
        )
    clock = (moment.hour, moment.minute, moment.second, moment.microsecond)
    return datetime(moment.year, moment.month, moment.day, *clock, tzinfo=UTC) - offset


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """Returns the calendar day that a zone's clocks show at an instant."""
    return to_utc(moment).astimezone(zone).date()


def local_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Returns the instant, in UTC, of a naive local time by the rule above."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    return _clock_change(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), instant, zone)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Returns the instant, in UTC, at which a local day begins."""
    return local_instant(datetime.combine(day, time.min), zone)


def shift_back(moment: datetime, duration: CalendarDuration, zone: ZoneInfo) -> datetime:
    """Returns the instant, in UTC, that lies a duration before another.

    Days first, on the zone's calendar (the same local time so many days earlier); then minutes of elapsed time.
    """
    instant = to_utc(moment)
    if duration.days:
        wall = instant.astimezone(zone).replace(tzinfo=None)
        instant = local_instant(wall - timedelta(days=duration.days), zone)
    return instant - timedelta(minutes=duration.minutes)


def round_down(moment: datetime, minutes: int, zone: ZoneInfo) -> datetime:
    """Returns the last boundary at or before an instant, in UTC.

    Boundaries are every so many minutes of the zone's clock from local midnight, and the instants of clock changes,
    so that each instant belongs to one slot and none is longer on the clock than `minutes`.
    """
    instant = to_utc(moment)
    local = instant.astimezone(zone)
    into_slot = timedelta(
        minutes=(local.hour * 60 + local.minute) % minutes, seconds=local.second, microseconds=local.microsecond
    )
    boundary = instant - into_slot
    if boundary.astimezone(zone).utcoffset() == local.utcoffset():
        return boundary
    return _clock_change(boundary, instant, zone)


def _clock_change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Returns the first whole second after `before`, up to `after`, at which the zone's offset is a new one."""
    offset = before.astimezone(zone).utcoffset()
    seconds = range(int(before.timestamp()), ceil(after.timestamp()))
    index = bisect_left(
        seconds, True, key=lambda second: datetime.fromtimestamp(second, UTC).astimezone(zone).utcoffset() != offset
    )
    return datetime.fromtimestamp(seconds.start + index, UTC)
