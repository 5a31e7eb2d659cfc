"""The time that every emulated service believes in: real, shifted, or standing still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock

from penstock.errors import ConfigurationError


class Clock:
    """Tells the time in UTC; safe to move from one thread while a server reads it in another.

    Args:
        at: Where the clock stands still, aware or as ISO-8601 with an offset; None follows the real time.
    """

    def __init__(self, at: datetime | str | None = None) -> None:
        self._lock = Lock()
        self._fixed = None if at is None else parse_moment(at)
        self._shift = timedelta(0)

    def now(self) -> datetime:
        """Returns the present moment, in UTC."""
        with self._lock:
            return self._fixed if self._fixed is not None else datetime.now(tz=UTC) + self._shift

    def set(self, moment: datetime | str) -> None:
        """Stops the clock at a moment."""
        fixed = parse_moment(moment)
        with self._lock:
            self._fixed = fixed

    def advance(self, by: timedelta | None = None, *, days: float = 0, hours: float = 0, seconds: float = 0) -> None:
        """Moves the clock, also a running one, by a duration that may be negative."""
        step = (by or timedelta(0)) + timedelta(days=days, hours=hours, seconds=seconds)
        with self._lock:
            if self._fixed is not None:
                self._fixed += step
            else:
                self._shift += step

    def follow_real_time(self) -> None:
        """Lets the clock run with the real time again."""
        with self._lock:
            self._fixed = None
            self._shift = timedelta(0)

    @property
    def stands_still(self) -> bool:
        """Whether only `set` and `advance` move the clock."""
        return self._fixed is not None


def parse_moment(moment: datetime | str) -> datetime:
    """Returns a moment in UTC.

    Raises:
        ConfigurationError: It is no ISO-8601 time, or has no offset.
    """
    try:
        parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError as error:
        raise ConfigurationError(
            "A moment is not an ISO-8601 time", guidance="Write it like 2026-03-20T12:00:00Z.", moment=str(moment)
        ) from error
    if parsed.tzinfo is None:
        raise ConfigurationError(
            "A moment has no offset from UTC", guidance="Write it like 2026-03-20T12:00:00Z.", moment=str(moment)
        )
    return parsed.astimezone(UTC)


def to_milliseconds(moment: datetime) -> int:
    """Returns whole milliseconds since the epoch, the unit the generated data counts in."""
    return round(moment.timestamp() * 1000)
