"""Whether records look as if the API had heard the interval: one that does not know a parameter mostly ignores it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from penstock.artifacts import Interval
from tasks.sources.rest.body import Raw

_SAMPLE = 50
_DEPTH = 3
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")
# Whole seconds or milliseconds between 2001 and 2065: nothing else that is counted is likely to lie there.
_SECONDS = range(1_000_000_000, 3_000_000_000)
_MILLISECONDS = range(1_000_000_000_000, 3_000_000_000_000)
# A time without a zone is of any; a date is a whole day of one.
_ZONES = timedelta(days=1)


def ignored_window(records: Sequence[Raw], interval: Interval) -> str | None:
    """Returns what a person should look at where records hold times, and none of a sample lies in the interval."""
    if interval.is_full:
        return None
    sample = records[:_SAMPLE]
    is_inside = [
        _is_inside(time, interval) for record in sample for time in _times(msgspec.json.decode(record), _DEPTH)
    ]
    if not is_inside or any(is_inside):
        return None
    return (
        f"none of the first {len(sample)} records holds a time of the interval: the API may not know the names in "
        "`window_parameters`, and have given everything"
    )


def _times(value: Any, depth: int) -> Iterator[datetime]:
    """Yields what looks like a time in a value: aware, or naive where no zone is told."""
    if isinstance(value, dict) and depth:
        for inner in value.values():
            yield from _times(inner, depth - 1)
    elif isinstance(value, str) and _ISO.fullmatch(value):
        try:
            yield datetime.fromisoformat(value)
        except ValueError:
            return
    elif isinstance(value, int) and value in _SECONDS:
        yield datetime.fromtimestamp(value, UTC)
    elif isinstance(value, int) and value in _MILLISECONDS:
        yield datetime.fromtimestamp(value / 1000, UTC)


def _is_inside(time: datetime, interval: Interval) -> bool:
    start, end = interval.bounds()
    if time.tzinfo is None:
        return start - _ZONES <= time.replace(tzinfo=UTC) <= end + _ZONES
    return start <= time <= end
