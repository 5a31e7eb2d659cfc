"""Time windows: what is asked (`TimeWindow`), and what it resolves to (`Interval`), once, from the scheduled time."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, time
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from penstock.errors import ConfigurationError
from penstock.spec import SHOWN_EMPTY, PlainUnion, Spec

DURATION_PATTERN = r"^(?:(?:[0-9]{1,4}w)?(?:[0-9]{1,4}d)?(?:[0-9]{1,5}h)?(?:[0-9]{1,6}m)?)$"
WHOLE_DAYS_PATTERN = r"^[1-9][0-9]{0,3}[wd]$"
DAY_LAG_PATTERN = r"^[0-9]{1,4}[wd]$"

MINUTES_PER_DAY = 24 * 60
# Far enough from the ends of the calendar that no lag, lookback or zone leads past them.
_FIRST_YEAR, _LAST_YEAR = 1900, 8999


class CalendarDuration(NamedTuple):
    """A duration in its two parts: calendar days, and minutes of elapsed time."""

    days: int
    minutes: int


def parse_duration(text: str) -> CalendarDuration:
    """Returns what a duration such as `2w`, `1d`, `6h`, `90m` or `1d12h` means.

    Raises:
        ConfigurationError: The text is not a duration.
    """
    if not text or not re.fullmatch(DURATION_PATTERN, text):
        raise ConfigurationError("A duration cannot be read", guidance=f"{_DURATION_HELP}.", duration=text)
    counts = {unit: int(count) for count, unit in re.findall(r"([0-9]+)([wdhm])", text)}
    return CalendarDuration(
        days=counts.get("w", 0) * 7 + counts.get("d", 0), minutes=counts.get("h", 0) * 60 + counts.get("m", 0)
    )


_DURATION_HELP = "Write weeks, days, hours and minutes in this order, such as 2w, 1d, 6h, 90m or 1d12h"
_DAYS_HELP = "Write whole days or weeks, such as 1d or 2w; hours and minutes have no place here"


def _matches(pattern: str, help_text: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not text or not compiled.fullmatch(text):
            raise ValueError(f"{help_text} (not {text!r})")
        return text

    return AfterValidator(check)


def _pattern(pattern: str) -> JsonDict:
    """Returns what an editor or form needs to check the text, while our own message says how to write it."""
    return {"pattern": pattern, "minLength": 2}


Duration = Annotated[
    str,
    _matches(DURATION_PATTERN, _DURATION_HELP),
    Field(description="For instance `90m`, `6h`, `1d` or `2w`.", json_schema_extra=_pattern(DURATION_PATTERN)),
]
"""Weeks and days are calendar days in the window's zone; hours and minutes are elapsed time."""

WholeDays = Annotated[
    str,
    _matches(WHOLE_DAYS_PATTERN, _DAYS_HELP),
    Field(description="Whole days, for instance `1d` or `2w`.", json_schema_extra=_pattern(WHOLE_DAYS_PATTERN)),
]

DayLag = Annotated[
    str,
    _matches(DAY_LAG_PATTERN, _DAYS_HELP),
    Field(
        description="Whole days, for instance `0d` (the same day) or `1d`.",
        json_schema_extra=_pattern(DAY_LAG_PATTERN),
    ),
]


@cache
def _zone_names() -> frozenset[str]:
    """Returns the zones of the tzdata package, which are the same on every machine, as `localtime` is not."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()) - {"Factory"}


def _known_zone(name: str) -> str:
    if name in _zone_names():
        return name
    near = difflib.get_close_matches(name, _zone_names(), n=1)
    hint = f"; did you mean {near[0]}?" if near else " such as America/New_York"
    raise ValueError(f"{name!r} is not an IANA time zone{hint}")


def _not_a_number(value: Any) -> Any:
    """Stops what YAML 1.1 or Pydantic would read as a count of seconds: `12:30` is 750 in YAML, 20260101 an epoch."""
    if isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"\s*[-+]?[0-9.]+\s*", value)):
        raise ValueError("it came as a number; put a time in quotes, such as '12:30' or '2026-01-01T00:00:00Z'")
    return value


def _without_offset(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a local time of day has no offset; the window's `timezone` says where it is")
    return value


def _in_living_years(value: datetime) -> datetime:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"the year must lie between {_FIRST_YEAR} and {_LAST_YEAR}")
    return value


Timezone = Annotated[str, AfterValidator(_known_zone), Field(description="IANA time zone, such as America/New_York.")]
LocalTime = Annotated[time, BeforeValidator(_not_a_number), AfterValidator(_without_offset)]
Moment = Annotated[AwareDatetime, BeforeValidator(_not_a_number), AfterValidator(_in_living_years)]


class DailyWindow(Spec):
    """`days` complete local days, of which the last is the scheduled time's date minus `lag` (`1d`: yesterday)."""

    model_config = ConfigDict(title="Daily")

    kind: Literal["daily"]
    timezone: Timezone = "UTC"
    lag: WholeDays = "1d"
    days: int = Field(default=1, ge=1, le=3660, description="How many complete days, counted back.")


class IntradayRelativeWindow(Spec):
    """From `lookback` to `lag` before the scheduled time, aligned down to `align` minutes."""

    model_config = ConfigDict(title="Intraday, relative")

    kind: Literal["intraday_relative"]
    timezone: Timezone = "UTC"
    lookback: Duration
    lag: Duration = "0m"
    align: int = Field(
        default=1,
        ge=1,
        le=MINUTES_PER_DAY,
        description="Minutes after local midnight; both bounds are rounded down to it.",
    )

    @model_validator(mode="after")
    def _has_length(self) -> IntradayRelativeWindow:
        length = _nominal_minutes(self.lookback) - _nominal_minutes(self.lag)
        if length <= 0:
            raise ValueError(
                f"`lookback` ({self.lookback}) must be more than `lag` ({self.lag}): both count back from the run"
            )
        if length < self.align:
            raise ValueError(
                f"`lookback` minus `lag` is {length} minutes, less than `align` ({self.align}): most windows "
                "would be empty; raise `lookback` or lower `align`"
            )
        return self


class IntradayAbsoluteWindow(Spec):
    """Fixed local times of day, `lag` days before the scheduled time's date (`0d`: today)."""

    model_config = ConfigDict(title="Intraday, absolute")

    kind: Literal["intraday_absolute"]
    timezone: Timezone = "UTC"
    start_time: LocalTime = Field(
        json_schema_extra=SHOWN_EMPTY, description="Local time of day at which the window begins."
    )
    end_time: LocalTime = Field(
        json_schema_extra=SHOWN_EMPTY,
        description="Local time of day at which it ends; not after the start means the next day.",
    )
    lag: DayLag = "0d"


class SinceLastWindow(Spec):
    """From the end of the last loaded interval, minus `lookback`, to the scheduled time minus `lag`.

    `lookback` never reaches before `initial`, and a position before an `initial` that was raised later is continued
    from, so that no gap opens.
    """

    model_config = ConfigDict(title="Since the last load")

    kind: Literal["since_last"]
    timezone: Timezone = "UTC"
    initial: Moment = Field(json_schema_extra=SHOWN_EMPTY, description="Where the first load begins.")
    lookback: Duration = "0m"
    lag: Duration = "0m"


class IntervalWindow(Spec):
    """Explicit start and end, for hand runs and backfills."""

    model_config = ConfigDict(title="Explicit interval")

    kind: Literal["interval"]
    timezone: Timezone = "UTC"
    start: Moment = Field(json_schema_extra=SHOWN_EMPTY, description="Where it begins, with an offset or Z.")
    end: Moment = Field(json_schema_extra=SHOWN_EMPTY, description="Where it ends; not part of the interval.")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> IntervalWindow:
        # Through UTC: two datetimes of one zone compare by their local clocks, wrong in a repeated hour.
        if self.end.astimezone(UTC) <= self.start.astimezone(UTC):
            raise ValueError("`end` must be after `start`; it is not part of the interval")
        return self


class FullWindow(Spec):
    """No bounds, for sources or strategies without time."""

    model_config = ConfigDict(title="Everything")

    kind: Literal["full"]
    timezone: Timezone = "UTC"


TimeWindow = Annotated[
    # The first one is the one that Prefect's form (3.8) shows for a value whose fields all others have too.
    FullWindow | DailyWindow | IntradayRelativeWindow | IntradayAbsoluteWindow | SinceLastWindow | IntervalWindow,
    Field(discriminator="kind"),
    PlainUnion(),
]


def _nominal_minutes(duration: str) -> int:
    """Returns a duration's minutes where a day has 24 hours; only to compare what was asked."""
    days, minutes = parse_duration(duration)
    return days * MINUTES_PER_DAY + minutes
