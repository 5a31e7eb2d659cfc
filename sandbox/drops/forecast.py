"""A forecast of contacts by half hour and channel, as a planning tool exports it: semicolons, a title, `n/a`."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sandbox.seeded import random_stream

_CHANNELS = (("VOICE", 6.0, 310), ("CHAT", 4.0, 540), ("SMS", 2.0, 420), ("EMAIL", 3.0, 700))
_HALF_HOUR = timedelta(minutes=30)
_OPENING, _CLOSING = 7, 24
_UNKNOWN_SHARE = 0.03
_CORRECTED_SHARE = 0.25


def is_corrected(seed: int, day: date) -> bool:
    """Returns whether a second version of a day's forecast follows."""
    return random_stream(seed, "forecast-correction", day).random() < _CORRECTED_SHARE


def forecast_file(seed: int, day: date, zone: ZoneInfo, *, version: int) -> bytes:
    """Returns a day's forecast as gzipped CSV; a later version changes some of its numbers."""
    lines = [f"Contact forecast for {day:%d.%m.%Y}; made by Workforce Planning", _HEADER]
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    while start < end:
        local = start.astimezone(zone)
        lines += [_line(seed, local, channel, version) for channel in _CHANNELS]
        start += _HALF_HOUR
    return gzip.compress("".join(f"{line}\r\n" for line in lines).encode(), mtime=0)


_HEADER = "Forecast Date;Interval Start;Channel;Contacts;AHT (s);Version"


def _line(seed: int, at: datetime, channel: tuple[str, float, int], version: int) -> str:
    name, mean, seconds = channel
    stream = random_stream(seed, "forecast", at.isoformat(), name, version)
    is_open = _OPENING <= at.hour < _CLOSING
    contacts = round(mean * (0.6 + stream.random()) * (0.5 if at.weekday() > 4 else 1), 1) if is_open else 0  # noqa: PLR2004 - Saturday and Sunday
    handle = "n/a" if stream.random() < _UNKNOWN_SHARE else str(int(seconds * (0.8 + 0.4 * stream.random())))
    return f"{at:%Y-%m-%d};{at:%Y-%m-%dT%H:%M%z};{name};{contacts};{handle};{version}"
