"""Intervals as the calendar days that day-grained APIs are asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from penstock.artifacts import Interval
from penstock.local_time import local_date, local_midnight, to_utc


class Days(NamedTuple):
    """Whole calendar days of a zone, the last included."""

    first: date
    last: date
    zone: ZoneInfo


def whole_days(interval: Interval) -> Days | None:
    """Returns the calendar days that an interval is made of, in its own zone or in UTC, None where it is not."""
    start, end = interval.bounds()
    for name in (interval.timezone, "UTC"):
        zone = ZoneInfo(name)
        first, after_last = local_date(start, zone), local_date(end, zone)
        if local_midnight(first, zone) == to_utc(start) and local_midnight(after_last, zone) == to_utc(end):
            return Days(first, after_last - timedelta(days=1), zone)
    return None
