"""Which values of a column lie in an interval: the one place where a window meets a database's types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from penstock.artifacts import Interval
from penstock.sources.sql import WindowType

ColumnClock = Literal["date", "naive", "instant", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds"]
_PER_SECOND = {"epoch_seconds": 1, "epoch_milliseconds": 1_000, "epoch_microseconds": 1_000_000}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
# Clocks are set back by an hour or less; a window that is far longer begins and ends on the same sides of it.
_REACH = timedelta(hours=3)


class ColumnBounds(NamedTuple):
    """Half-open `[start, end)` in the column's own terms; `widened` says why they hold more than the interval."""

    start: date | datetime | int
    end: date | datetime | int
    widened: str = ""


def column_bounds(interval: Interval, clock: ColumnClock, timezone: str) -> ColumnBounds:
    """Returns an interval's bounds as a column keeps time.

    They never hold less than the interval, so that no row is lost. They hold more in two cases: a date stands for a
    whole day, and a local clock shows one hour twice a year again. Intervals that meet at local midnight meet here too.

    Args:
        interval: What is read; it has bounds.
        clock: What the column holds.
        timezone: Whose clock a naive column shows. A date is one of the interval's own zone.
    """
    start, end = interval.bounds()
    if clock == "instant":
        return ColumnBounds(start.astimezone(UTC), end.astimezone(UTC))
    if clock == "date":
        return _days(start, end, ZoneInfo(interval.timezone))
    if clock == "naive":
        return _local(start, end, ZoneInfo(timezone))
    factor = _PER_SECOND[clock]
    return ColumnBounds(_ticks(start, factor), _ticks(end, factor))


def clock_of(
    column_type: str, window_type: WindowType, *, clocks: Mapping[str, ColumnClock], numbers: frozenset[str]
) -> ColumnClock | None:
    """Returns how a column of a type keeps time; None where it holds none, or `window_type` does not fit.

    Args:
        column_type: The database's name of the type.
        window_type: What the dataset says that numbers count.
        clocks: Types of time.
        numbers: Types of whole numbers.
    """
    if window_type == "auto":
        return clocks.get(column_type)
    return window_type if column_type in numbers else None


def _days(start: datetime, end: datetime, zone: ZoneInfo) -> ColumnBounds:
    first, last = start.astimezone(zone), end.astimezone(zone)
    until = last.date() if last.time() == datetime.min.time() else last.date() + _DAY
    is_whole = first.time() == last.time() == datetime.min.time()
    return ColumnBounds(first.date(), until, "" if is_whole else "a date stands for its whole day")


def _local(start: datetime, end: datetime, zone: ZoneInfo) -> ColumnBounds:
    """Returns the lowest clock time that is shown from the start on, and the highest that is shown before the end."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    lowest, highest = _clock(start, zone), _clock(end, zone)
    set_back = _set_back(start, min(end, start + _REACH), zone)
    if set_back is not None:
        lowest = min(lowest, _clock(set_back, zone))
    set_back = _set_back(max(start, end - _REACH), end, zone)
    if set_back is not None:
        highest = max(highest, _clock(set_back - _TICK, zone) + _TICK)
    is_widened = first.fold or last.fold or (lowest, highest) != (_clock(start, zone), _clock(end, zone))
    return ColumnBounds(lowest, highest, "the local clock shows this hour twice" if is_widened else "")


def _clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _set_back(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """Returns the moment in `(start, end]` at which the clock goes back, to the microsecond."""
    low, high = start.astimezone(UTC), end.astimezone(UTC)
    before, after = low.astimezone(zone).utcoffset(), high.astimezone(zone).utcoffset()
    if before is None or after is None or after >= before:
        return None
    while high - low > _TICK:
        middle = low + (high - low) // 2
        low, high = (low, middle) if middle.astimezone(zone).utcoffset() == after else (middle, high)
    return high


def _ticks(moment: datetime, factor: int) -> int:
    microseconds = (moment - _EPOCH) // _TICK
    return -(-microseconds * factor // 1_000_000)
