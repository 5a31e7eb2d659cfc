"""A backfill's range, cut into windows, and those of them that the ledger lacks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

from penstock.artifacts import Interval, TableRef
from penstock.errors import ConfigurationError
from penstock.ledger import LoadRecord, Span, covers, loaded_spans
from penstock.local_time import local_date, local_midnight, to_utc
from penstock.strategy import Historical, Incremental, LoadStrategy
from penstock.window import CalendarDuration, Duration, Timezone, parse_duration

MAXIMUM_WINDOWS = 100_000
"""More windows than this (over eleven years of hours) are taken for a mistyped `every`."""


def cut(start: datetime, end: datetime, every: Duration, timezone: Timezone) -> list[Interval]:
    """Returns the half-open intervals, in order, that tile `[start, end)` exactly.

    Pieces of days or weeks meet at local midnights, counted from the local day of `start`; pieces of hours and minutes
    are elapsed time from `start`. Where the range does not begin or end on such a boundary, its first or last piece is
    shorter. A piece's `as_of` is its end, the earliest time at which it was complete.

    Raises:
        ConfigurationError: A bound has no zone, `end` is not after `start`, or `every` cannot cut the range.
    """
    first, last = to_utc(start), to_utc(end)
    if last <= first:
        raise ConfigurationError(
            "A range must end after it starts",
            guidance="The end is not part of the range: give the day after the last one wanted.",
            start=first.isoformat(),
            end=last.isoformat(),
        )
    step = parse_duration(every)
    _check_step(step, every, last - first)
    inner = takewhile(lambda edge: edge < last, _edges(first, step, ZoneInfo(timezone)))
    edges = [first, *(edge for edge in inner if edge > first), last]
    return [
        Interval(start=left, end=right, timezone=timezone, as_of=right)
        for left, right in pairwise(edges)
        if left < right  # a day that the zone's calendar skipped has no time
    ]


def refuse_future(end: datetime, now: datetime) -> None:
    """Checks that a run asks only for time that has passed: what is still to come would count as loaded.

    Raises:
        ConfigurationError: the asked time lies after `now`.
    """
    if end > now:
        raise ConfigurationError(
            "time that has not passed cannot be loaded",
            guidance="Ask for an earlier time; a scheduled run loads what follows.",
            end=end,
            now=now,
        )


def missing(intervals: Iterable[Interval], records: Sequence[LoadRecord], target: TableRef) -> list[Interval]:
    """Returns those intervals, in their order, that the target's loads do not hold completely."""
    own = [record for record in records if record.target == target]
    spans = loaded_spans(own)
    return [interval for interval in intervals if not _is_loaded(interval, own, spans)]


def replaces_all(strategies: Iterable[LoadStrategy]) -> bool:
    """Returns whether a window would replace the one before it, so that a transform has to read each."""
    return any(strategy.kind == "full_refresh" for strategy in strategies)


def must_go_in_order(strategies: Iterable[LoadStrategy]) -> bool:
    """Returns whether windows must be loaded one after another, the oldest first.

    So it is where what is loaded last wins: whole tables, and upserts and histories that no column orders.
    """
    return any(
        strategy.kind == "full_refresh"
        or (isinstance(strategy, Incremental | Historical) and strategy.order_by is None)
        for strategy in strategies
    )


def _is_loaded(interval: Interval, records: Sequence[LoadRecord], spans: Sequence[Span]) -> bool:
    if interval.is_full:
        return covers(records, interval)
    start, end = interval.bounds()
    index = bisect_right(spans, start, key=lambda span: span[0]) - 1
    return index >= 0 and end <= spans[index][1]


def _check_step(step: CalendarDuration, every: str, length: timedelta) -> None:
    if bool(step.days) == bool(step.minutes):
        raise ConfigurationError(
            "A range cannot be cut by this duration",
            guidance="Cut it by whole days or weeks (1d, 2w), or by hours and minutes (6h, 90m).",
            every=every,
        )
    count = length // timedelta(days=step.days, minutes=step.minutes)
    if count > MAXIMUM_WINDOWS:
        raise ConfigurationError(
            "The range would be cut into too many windows",
            guidance="Choose longer windows or a shorter range.",
            every=every,
            windows=count,
            most=MAXIMUM_WINDOWS,
        )


def _edges(first: datetime, step: CalendarDuration, zone: ZoneInfo) -> Iterator[datetime]:
    """Yields where pieces meet, without end."""
    if step.days:
        day = local_date(first, zone)
        while True:
            day += timedelta(days=step.days)
            yield local_midnight(day, zone)
    edge = first
    while True:
        edge += timedelta(minutes=step.minutes)
        yield edge
