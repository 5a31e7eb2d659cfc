"""Local days, hours and written times; everything else in the simulation counts milliseconds of UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@lru_cache(maxsize=10_000)
def local_moment(day: date, hour: int, zone: ZoneInfo) -> int:
    """Returns when a wall clock in a zone shows this hour; 24 is the next day's midnight."""
    next_day, hour_of_day = divmod(hour, 24)
    wall = datetime(day.year, day.month, day.day, hour_of_day, tzinfo=zone) + timedelta(days=next_day)
    return int(wall.timestamp()) * SECOND


def day_bounds(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """Returns a local day as `[start, end)`; 23 or 25 hours long where clocks change."""
    return local_moment(day, 0, zone), local_moment(day + timedelta(days=1), 0, zone)


def local_date(at: int, zone: ZoneInfo) -> date:
    """Returns the local day that a moment falls on."""
    return datetime.fromtimestamp(at / SECOND, zone).date()


def local_hours(day: date, zone: ZoneInfo) -> list[tuple[int, int]]:
    """Returns the real hours of a local day: when each starts, and what the wall clock shows then."""
    start, end = day_bounds(day, zone)
    return [(at, datetime.fromtimestamp(at / SECOND, zone).hour) for at in range(start, end, HOUR)]


def days_between(first: date, last: date) -> Iterator[date]:
    """Yields every day from the first to the last, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def write_time(at: int) -> str:
    """Returns a moment as Gladly writes it, `2026-03-19T13:02:11.123Z`."""
    minute, rest = divmod(at, MINUTE)
    return f"{_write_minute(minute)}{rest // SECOND:02d}.{rest % SECOND:03d}Z"


def write_optional_time(at: int | None) -> str | None:
    """Returns a moment as Gladly writes it, or None."""
    return None if at is None else write_time(at)


@lru_cache(maxsize=100_000)
def _write_minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")
