"""How old a dataset's newest load may be before somebody is told: said in the pipeline file, or derived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from penstock.schedule import ScheduleSpec, widest_gap_of
from penstock.spec import Spec
from penstock.window import Duration, parse_duration

_LEAST_PATIENCE = timedelta(hours=1)


class Freshness(NamedTuple):
    """Ages of the newest load, counted from `_loaded_at`; None where none is an error."""

    warn_after: timedelta
    error_after: timedelta | None


class FreshnessSpec(Spec):
    """Ages of the newest load, in place of those that the schedules give. A day is 24 hours here."""

    warn_after: Duration = Field(description="Age from which `dbt source freshness` warns.")
    error_after: Duration | None = Field(default=None, description="Age from which it fails; never without it.")

    @model_validator(mode="after")
    def _warns_first(self) -> Self:
        decided = self.decided()
        if decided.error_after is not None and decided.error_after < decided.warn_after:
            raise ValueError("`error_after` comes before `warn_after`")
        return self

    def decided(self) -> Freshness:
        """Returns the ages as elapsed time."""
        return Freshness(_elapsed(self.warn_after), _elapsed(self.error_after) if self.error_after else None)


FreshnessSetting = FreshnessSpec | Literal["none"]
"""Ages, or `none`: nobody is told."""


def decide_freshness(setting: FreshnessSetting | None, schedules: Sequence[ScheduleSpec]) -> Freshness | None:
    """Returns what a file says, or else what its schedules give; None where nobody waits for a load."""
    if isinstance(setting, FreshnessSpec):
        return setting.decided()
    return derive_freshness(schedules) if setting is None else None


def derive_freshness(schedules: Sequence[ScheduleSpec]) -> Freshness | None:
    """Returns ages at which one run is surely late, and at which the next one is too.

    Half the longest time between two runs, and an hour at least, is left for a run to be late and a load to take its
    time: 36 and 60 hours where a pipeline runs daily, 2 and 3 hours where it runs hourly.
    """
    gap = widest_gap_of(schedules)
    if gap is None:
        return None
    patience = max(gap / 2, _LEAST_PATIENCE)
    return Freshness(gap + patience, gap + max(gap, _LEAST_PATIENCE) + patience)


def _elapsed(duration: str) -> timedelta:
    days, minutes = parse_duration(duration)
    return timedelta(days=days, minutes=minutes)
