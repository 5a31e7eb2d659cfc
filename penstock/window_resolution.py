"""From what is asked to what is decided: a `TimeWindow` and a run's scheduled time give an `Interval`.

Resolution is a pure function of the window, the scheduled time and, for `since_last`, the forward position in the
ledger. It never looks at a clock, so a late run, a retry and a backfill of one scheduled time read the same interval.
How local times become instants is said in `penstock.local_time`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.local_time import local_date, local_instant, local_midnight, round_down, shift_back, to_utc
from penstock.window import (
    CalendarDuration,
    DailyWindow,
    FullWindow,
    IntervalWindow,
    IntradayAbsoluteWindow,
    IntradayRelativeWindow,
    SinceLastWindow,
    TimeWindow,
    parse_duration,
)

Bounds = tuple[datetime, datetime]


def resolve(window: TimeWindow, scheduled_at: datetime, *, last_end: datetime | None = None) -> Interval | None:
    """Returns the interval that a run scheduled for a time must read, with bounds in UTC.

    Args:
        window: What the pipeline asks.
        scheduled_at: The run's scheduled time (not when it started); aware.
        last_end: Where the last forward load of the dataset ended; only `since_last` looks at it.

    Returns:
        The interval, or None where there is nothing to read: `since_last` has no time after `last_end` yet, or a
        clock change skipped all of an intraday window.

    Raises:
        ConfigurationError: A time has no zone, or the window ends after the scheduled time (what it lacked then would
            count as loaded).
    """
    as_of = to_utc(scheduled_at)
    if isinstance(window, FullWindow):
        return Interval(start=None, end=None, timezone=window.timezone, as_of=as_of)
    start, end = _bounds(window, as_of, last_end)
    if start >= end:
        return None
    if end > as_of:
        raise ConfigurationError(
            "The window ends after the time it is read for",
            guidance="Raise its lag, end it earlier, or schedule the run after its end.",
            window=window.kind,
            end=end.isoformat(),
            scheduled_at=as_of.isoformat(),
        )
    return Interval(start=start, end=end, timezone=window.timezone, as_of=as_of)


def overlaps_itself(window: TimeWindow, *, days_between_runs: int = 1) -> bool:
    """Returns whether windows of consecutive runs (at least that many days apart) share time by design.

    `append` cannot hold such windows: rows of the time that two of them share would belong to either.
    """
    if isinstance(window, DailyWindow):
        return window.days > days_between_runs
    if isinstance(window, SinceLastWindow):
        return parse_duration(window.lookback) > CalendarDuration(days=0, minutes=0)
    return False


def _bounds(window: TimeWindow, as_of: datetime, last_end: datetime | None) -> Bounds:
    zone = ZoneInfo(window.timezone)
    match window:
        case DailyWindow():
            return _daily(window, as_of, zone)
        case IntradayRelativeWindow():
            return _intraday_relative(window, as_of, zone)
        case IntradayAbsoluteWindow():
            return _intraday_absolute(window, as_of, zone)
        case SinceLastWindow():
            return _since_last(window, as_of, zone, None if last_end is None else to_utc(last_end))
        case IntervalWindow():
            return to_utc(window.start), to_utc(window.end)
        case FullWindow():
            raise ValueError("a full window has no bounds")


def _daily(window: DailyWindow, as_of: datetime, zone: ZoneInfo) -> Bounds:
    last_day = local_date(as_of, zone) - timedelta(days=parse_duration(window.lag).days)
    first_day = last_day - timedelta(days=window.days - 1)
    return local_midnight(first_day, zone), local_midnight(last_day + timedelta(days=1), zone)


def _intraday_relative(window: IntradayRelativeWindow, as_of: datetime, zone: ZoneInfo) -> Bounds:
    start = shift_back(as_of, parse_duration(window.lookback), zone)
    end = shift_back(as_of, parse_duration(window.lag), zone)
    return round_down(start, window.align, zone), round_down(end, window.align, zone)


def _intraday_absolute(window: IntradayAbsoluteWindow, as_of: datetime, zone: ZoneInfo) -> Bounds:
    day = local_date(as_of, zone) - timedelta(days=parse_duration(window.lag).days)
    end_day = day if window.end_time > window.start_time else day + timedelta(days=1)
    start = local_instant(datetime.combine(day, window.start_time), zone)
    return start, local_instant(datetime.combine(end_day, window.end_time), zone)


def _since_last(window: SinceLastWindow, as_of: datetime, zone: ZoneInfo, last_end: datetime | None) -> Bounds:
    initial = to_utc(window.initial)
    end = shift_back(as_of, parse_duration(window.lag), zone).replace(microsecond=0)
    if last_end is None:
        return initial, end
    if end <= last_end:
        return end, end
    return max(shift_back(last_end, parse_duration(window.lookback), zone), min(initial, last_end)), end
