"""What objectives attained, from the hours that the sandbox's world measured and Nobl9's own states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sandbox.datadog_slo.settings import DatadogSloSettings
from sandbox.datadog_slo.world import Objective, World
from sandbox.nobl9.slos import write_slo
from sandbox.settings import SandboxSettings
from tests.models.ops_bronze import FIRST, FIRST_SLO_DAYS, NOW, OPENED_ON, SLO_DAYS

SEED = SandboxSettings().seed
_DAY_SECONDS = 86_400
_IS_BAD_BELOW = 0.98


class ObjectiveDay(NamedTuple):
    """One objective's day; shares are of one, None where nothing was measured."""

    objective: str
    day: date
    service: str
    target: float
    share: float | None
    good: float | None
    total: float | None
    budget: float | None
    is_corrected: bool

    @property
    def is_met(self) -> bool | None:
        return None if self.share is None else self.share >= self.target


def datadog_days() -> dict[tuple[str, date], ObjectiveDay]:
    """Returns what Datadog's days came to, as the newest run that read a day was told."""
    world = World(DatadogSloSettings(opened_on=OPENED_ON), seed=SEED)
    days: dict[tuple[str, date], ObjectiveDay] = {}
    for read_at, (first, last) in ((FIRST, FIRST_SLO_DAYS), (NOW, SLO_DAYS)):
        now = int(read_at.timestamp())
        for objective in world.objectives(now):
            for start in range(int(first.timestamp()), int(last.timestamp()), _DAY_SECONDS):
                one = _datadog_day(world, objective, start, now)
                days[one.objective, one.day] = one
    return days


def _datadog_day(world: World, objective: Objective, start: int, now: int) -> ObjectiveDay:
    end, target = start + _DAY_SECONDS, objective.target / 100
    hours = world.hours(objective, start, end, now=now, corrected=True)
    good, total = sum(hour.good for hour in hours), sum(hour.total for hour in hours)
    is_metric = objective.type == "metric"
    fine = sum(hour.good >= _IS_BAD_BELOW * hour.total for hour in hours)
    share = None if not hours else good / total if is_metric else fine / len(hours)
    corrections = world.corrections(int(NOW.timestamp()))
    return ObjectiveDay(
        objective=objective.id,
        day=datetime.fromtimestamp(start, tz=UTC).date(),
        service=objective.tags[0].removeprefix("service:"),
        target=target,
        share=share,
        good=good if is_metric else None,
        total=total if is_metric else None,
        budget=None if share is None else 1 - (1 - share) / (1 - target),
        is_corrected=any(one.objective == objective and one.start < end and one.end > start for one in corrections),
    )


def nobl9_days() -> dict[tuple[str, date], ObjectiveDay]:
    """Returns what Nobl9 told in its two readings; a state that did not change was read once."""
    days: dict[tuple[str, date], ObjectiveDay] = {}
    known: dict[str, Any] = {}
    for read_at in (FIRST, NOW):
        for number in range(40):
            slo = write_slo(number, read_at, seed=SEED)
            if known.get(slo["name"]) != slo:
                days.update({(one.objective, one.day): one for one in _nobl9_objectives(slo, read_at.date())})
            known[slo["name"]] = slo
    return days


def _nobl9_objectives(slo: Mapping[str, Any], day: date) -> Iterator[ObjectiveDay]:
    for one in slo["objectives"]:
        yield ObjectiveDay(
            objective=f"{slo['project']['name']}/{slo['name']}/{one['name']}",
            day=day,
            service=slo["service"]["name"],
            target=one["target"],
            share=one.get("reliability"),
            good=one.get("counts", {}).get("good"),
            total=one.get("counts", {}).get("total"),
            budget=one.get("errorBudgetRemainingPercentage"),
            is_corrected=False,
        )


def attained(days: Sequence[ObjectiveDay], *, is_rolling: bool) -> dict[tuple[str, date], tuple[object, ...]]:
    """Returns by objective and month: share, whether it is enough, days with a value, days met, days corrected."""
    months: dict[tuple[str, date], list[ObjectiveDay]] = defaultdict(list)
    for one in sorted(days, key=lambda one: one.day):
        months[one.objective, one.day - timedelta(days=one.day.day - 1)].append(one)
    return {key: _attained(group, is_rolling=is_rolling) for key, group in months.items()}


def _attained(group: Sequence[ObjectiveDay], *, is_rolling: bool) -> tuple[object, ...]:
    measured = [one for one in group if one.share is not None]
    share = _share(measured, is_rolling=is_rolling)
    return (
        None if share is None else round(share, 6),
        None if share is None else share >= group[-1].target,
        len(measured),
        sum(one.is_met is True for one in measured),
        sum(one.is_corrected for one in group),
    )


def _share(measured: Sequence[ObjectiveDay], *, is_rolling: bool) -> float | None:
    if not measured:
        return None
    if is_rolling:
        return measured[-1].share
    if measured[0].total is not None:
        return sum(one.good or 0 for one in measured) / sum(one.total or 0 for one in measured)
    return sum(one.share or 0 for one in measured) / len(measured)
