"""The edge where an interval becomes Sprout's own words for time, and where one that is too long or too full is cut."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.local_time import local_date, local_midnight, to_utc
from tasks.sources.whole_days import Days, whole_days

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def period_filter(field: str, interval: Interval, *, by_day: bool) -> str:
    """Returns the filter that states a half-open interval.

    With three dots a range's end is not part of it, so that adjacent intervals tile. Days are those of the interval's
    own zone (Sprout answers with the day labels of the network, in no zone of ours); times are in UTC, which goes with
    `timezone: UTC` in the body and knows no clock changes. Times have whole seconds: both bounds are moved up to one,
    which keeps what is between them.

    Raises:
        ConfigurationError: The interval has no bounds, or is not made of whole days where days are asked for.
    """
    if by_day:
        days = days_of(interval)
        return f"{field}.in({days.first}...{days.last + _DAY})"
    start, end = (_write_second(bound) for bound in _bounds(interval))
    return f"{field}.in({start}...{end})"


def days_of(interval: Interval) -> Days:
    """Returns the whole days that an interval is made of.

    Raises:
        ConfigurationError: It is not made of whole days, or has no bounds.
    """
    _bounds(interval)
    days = whole_days(interval)
    if days is None:
        raise _cannot_ask(interval, "Profiles have days: use a `daily` window, or bounds at midnight of its zone.")
    return days


def cut(interval: Interval, longest: timedelta | None, *, by_day: bool) -> Iterator[Interval]:
    """Yields the parts of an interval, in order, none longer than what one request may ask for."""
    start, end = _bounds(interval)
    zone = days_of(interval).zone if by_day else None
    while longest is not None and start < end:
        following = _later(start, longest, zone)
        if following >= end:
            break
        yield _part(interval, start, following, zone)
        start = following
    if start < end:
        yield _part(interval, start, end, zone)


def halve(interval: Interval, *, by_day: bool) -> tuple[Interval, Interval] | None:
    """Returns an interval's two halves, None where it is a single day, or second, already."""
    start, end = _bounds(interval)
    if by_day:
        days = days_of(interval)
        count = (days.last - days.first).days + 1
        middle, zone = local_midnight(days.first + count // 2 * _DAY, days.zone), days.zone
        can_be_cut = count > 1
    else:
        seconds, zone = (end - start) // _SECOND, None
        middle, can_be_cut = start + seconds // 2 * _SECOND, seconds > 1
    if not can_be_cut:
        return None
    return _part(interval, start, middle, zone), _part(interval, middle, end, zone)


def _later(start: datetime, longest: timedelta, zone: ZoneInfo | None) -> datetime:
    if zone is None:
        return start + longest
    return local_midnight(local_date(start, zone) + longest, zone)


def _part(interval: Interval, start: datetime, end: datetime, zone: ZoneInfo | None) -> Interval:
    timezone = interval.timezone if zone is None else str(zone)
    return interval.model_copy(update={"start": start, "end": end, "timezone": timezone})


def _bounds(interval: Interval) -> tuple[datetime, datetime]:
    if interval.is_full:
        raise _cannot_ask(interval, "Give the dataset a window with bounds, such as `daily`.")
    start, end = interval.bounds()
    return to_utc(start), to_utc(end)


def _write_second(moment: datetime) -> str:
    whole = moment.replace(microsecond=0)
    rounded_up = whole if whole == moment else whole + _SECOND
    return rounded_up.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _cannot_ask(interval: Interval, guidance: str) -> ConfigurationError:
    return ConfigurationError(
        "Sprout cannot be asked for this window",
        guidance=guidance,
        start=interval.start,
        end=interval.end,
        timezone=interval.timezone,
    )
