"""When a pipeline runs: a cron expression in a named time zone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from penstock.spec import Name, Spec
from penstock.window import Timezone

if TYPE_CHECKING:
    from cronsim import CronSim

_TERM = r"(\*|\d+|[A-Z]{3})(-(\d+|[A-Z]{3}))?(/\d+)?"
_FIELD = re.compile(rf"{_TERM}(,{_TERM})*")
_FIELD_COUNT = 5
# A year without a yearly table of its own in the time zone database: what holds then is the zone's standing rule.
_STANDING_YEAR = 2050
_FIRST_RUN_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
_EXAMINED_DAYS = 400
_SEVERAL = 2


def _parsed(expression: str) -> CronSim:
    """Returns a cron expression's runs from the beginning of 2026, in a clock without changes.

    cronsim comes with Prefect (through pydocket) and takes 10 ms to import; Prefect's own croniter takes Prefect.

    Raises:
        ValueError: it is not one that both cronsim and Prefect understand.
    """
    from cronsim import CronSim, CronSimError

    fields = expression.upper().split()
    if len(fields) != _FIELD_COUNT:
        raise ValueError(f"`{expression}` has {len(fields)} fields, cron has five: minute hour day month weekday")
    for field in fields:
        if not _FIELD.fullmatch(field):
            raise ValueError(f"`{field}` is not a cron field: numbers, names, `*`, `,`, `-` and `/` are understood")
    try:
        return CronSim(expression.upper(), _FIRST_RUN_AFTER)
    except CronSimError as error:
        raise ValueError(f"`{expression}` is not a cron expression: {str(error).lower()}") from error


def _valid_cron(expression: str) -> str:
    _parsed(expression)
    return " ".join(expression.split())


Cron = Annotated[
    str,
    AfterValidator(_valid_cron),
    Field(description="Five fields: minute, hour, day of month, month, day of week.", examples=["0 6 * * *"]),
]


class ScheduleSpec(Spec):
    """A cron expression and the zone whose clock it follows."""

    name: Name | None = Field(
        default=None,
        description="What Prefect knows it by when its time changes; its number by default.",
    )
    cron: Cron
    timezone: Timezone = "UTC"
    active: bool = Field(default=True, description="Whether a deployment of the schedule begins switched on.")

    def runs_per_day(self) -> int:
        """Returns how often the schedule fires on a day on which it fires at all."""
        runs = _parsed(self.cron)
        return len(runs.hours) * len(runs.minutes)


def changes_clocks(timezone: str) -> bool:
    """Tells whether a zone's standing rule has daylight saving."""
    zone = ZoneInfo(timezone)
    offsets = {datetime(_STANDING_YEAR, month, 15, tzinfo=zone).utcoffset() for month in range(1, 13)}
    return len(offsets) > 1


def widest_day_gap(schedules: Sequence[ScheduleSpec]) -> int | None:
    """Returns the most days from one day with a run to the next one; None where nothing runs by itself."""
    day_fields = frozenset(schedule.cron.split(maxsplit=2)[2] for schedule in schedules if schedule.active)
    return max(_day_gaps(day_fields)) if day_fields else None


def narrowest_day_gap(schedules: Sequence[ScheduleSpec]) -> int | None:
    """Returns the fewest days from one day with a run to the next one; None where nothing runs by itself."""
    day_fields = frozenset(schedule.cron.split(maxsplit=2)[2] for schedule in schedules if schedule.active)
    return min(_day_gaps(day_fields)) if day_fields else None


def widest_gap(schedule: ScheduleSpec) -> timedelta:
    """Returns the longest time between two runs of a schedule in a row, clock changes aside."""
    parsed = _parsed(schedule.cron)
    times = sorted(hour * 60 + minute for hour in parsed.hours for minute in parsed.minutes)
    overnight = (widest_day_gap([schedule]) or _EXAMINED_DAYS) * 24 * 60 - times[-1] + times[0]
    return timedelta(minutes=max([overnight, *(later - earlier for earlier, later in pairwise(times))]))


def widest_gap_of(schedules: Sequence[ScheduleSpec]) -> timedelta | None:
    """Returns the longest time between two runs of any of the active schedules; None where nothing runs by itself.

    Zones count with their standard time.
    """
    active = [schedule for schedule in schedules if schedule.active]
    if len(active) < _SEVERAL:
        return widest_gap(active[0]) if active else None
    minutes = sorted({minute for schedule in active for minute in _run_minutes(schedule)})
    together = max((later - earlier for earlier, later in pairwise(minutes)), default=_EXAMINED_DAYS * 24 * 60)
    return min(timedelta(minutes=together), *(widest_gap(schedule) for schedule in active))


def _run_minutes(schedule: ScheduleSpec) -> Iterator[int]:
    """Yields the runs of somewhat more than a year, in minutes of UTC."""
    parsed = _parsed(schedule.cron)
    offset = datetime(_STANDING_YEAR, 1, 15, tzinfo=ZoneInfo(schedule.timezone)).utcoffset() or timedelta(0)
    ahead = offset // timedelta(minutes=1)
    for day in _run_days(schedule.cron.split(maxsplit=2)[2]):
        yield from (day * 24 * 60 + hour * 60 + minute - ahead for hour in parsed.hours for minute in parsed.minutes)


@cache
def _day_gaps(day_fields: frozenset[str]) -> frozenset[int]:
    days = sorted({day for fields in day_fields for day in _run_days(fields)})
    return frozenset(later - earlier for earlier, later in pairwise(days)) or frozenset({_EXAMINED_DAYS})


def _run_days(day_fields: str) -> tuple[int, ...]:
    """Returns the days (as ordinals) of somewhat more than a year on which a cron's last three fields let it run."""
    end = _FIRST_RUN_AFTER + timedelta(days=_EXAMINED_DAYS)
    return tuple(run.toordinal() for run in takewhile(lambda run: run < end, _parsed(f"0 0 {day_fields}")))
