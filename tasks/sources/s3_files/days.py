"""Globs that say of which days files are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from penstock.artifacts import Interval
from penstock.errors import ConfigurationError
from penstock.sources.s3_files import DAY


def day_globs(glob: str, interval: Interval) -> list[str]:
    """Returns the globs of an interval: one a local day where the glob has `{day:...}`, each once.

    Raises:
        ConfigurationError: the glob names days, and the interval has none.
    """
    if DAY.search(glob) is None:
        return [glob]
    if interval.is_full:
        raise ConfigurationError(
            "a glob with a day needs a window with bounds",
            guidance="Give the dataset a `daily` window, or leave `{day:...}` out of its `glob`.",
            glob=glob,
        )
    return list(dict.fromkeys(_filled(glob, day) for day in _local_days(interval)))


def _local_days(interval: Interval) -> Iterator[date]:
    """Yields the local days that an interval touches; one that ends at midnight does not touch the next."""
    zone = ZoneInfo(interval.timezone)
    start, end = interval.bounds()
    day, last = start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _filled(glob: str, day: date) -> str:
    return DAY.sub(lambda found: day.strftime(found["pattern"] or "%Y-%m-%d"), glob)
