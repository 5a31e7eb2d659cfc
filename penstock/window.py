"""Time windows: what is asked (`TimeWindow`), and what it resolves to (`Interval`), once, from the scheduled time."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from penstock.spec import Spec

DURATION_PATTERN = r"^(\d+[wdhm])+$"
DAYS_PATTERN = r"^[1-9]\d*[wd]$"

Duration = Annotated[
    str, StringConstraints(pattern=DURATION_PATTERN), Field(description="For instance `90m`, `6h`, `1d` or `2w`.")
]
"""Weeks and days are calendar days in the window's zone; hours and minutes are elapsed time."""

WholeDays = Annotated[
    str, StringConstraints(pattern=DAYS_PATTERN), Field(description="Whole days, for instance `1d` or `2w`.")
]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except Exception as error:
        raise ValueError(f"{name!r} is not an IANA time zone such as America/New_York") from error
    return name


Timezone = Annotated[str, AfterValidator(_known_zone), Field(description="IANA time zone, such as America/New_York.")]


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
    align: int = Field(default=1, ge=1, le=1440, description="Minutes; both bounds are rounded down to it.")


class IntradayAbsoluteWindow(Spec):
    """Fixed local times of day, `lag` days before the scheduled time's date (`0d`: today)."""

    model_config = ConfigDict(title="Intraday, absolute")

    kind: Literal["intraday_absolute"]
    timezone: Timezone = "UTC"
    start_time: time = Field(description="Local time of day at which the window begins.")
    end_time: time = Field(description="Local time of day at which it ends; not after the start means the next day.")
    lag: Duration = "0d"


class SinceLastWindow(Spec):
    """From the end of the last loaded interval, minus `lookback`, to the scheduled time minus `lag`."""

    model_config = ConfigDict(title="Since the last load")

    kind: Literal["since_last"]
    timezone: Timezone = "UTC"
    initial: AwareDatetime = Field(description="Where the first load begins.")
    lookback: Duration = "0m"
    lag: Duration = "0m"


class IntervalWindow(Spec):
    """Explicit start and end, for hand runs and backfills."""

    model_config = ConfigDict(title="Explicit interval")

    kind: Literal["interval"]
    timezone: Timezone = "UTC"
    start: AwareDatetime
    end: AwareDatetime


class FullWindow(Spec):
    """No bounds, for sources or strategies without time."""

    model_config = ConfigDict(title="Everything")

    kind: Literal["full"]
    timezone: Timezone = "UTC"


TimeWindow = Annotated[
    DailyWindow | IntradayRelativeWindow | IntradayAbsoluteWindow | SinceLastWindow | IntervalWindow | FullWindow,
    Field(discriminator="kind"),
]
