"""Objectives, their history, status and corrections as the API writes them; shapes differ by the objective's type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.datadog_slo.world import HOUR, Correction, Hour, Objective, World

Json = dict[str, Any]

_BREACH_SHARE = 0.98


def write_objective(objective: Objective) -> Json:
    """Returns a definition."""
    creator = {"handle": "sre@example.com", "name": "Søren Tomás", "email": "sre@example.com"}
    query = {"numerator": f"sum:{objective.number}.good{{*}}", "denominator": f"sum:{objective.number}.all{{*}}"}
    return {
        "id": objective.id,
        "name": objective.name,
        "description": None if objective.number % 3 else 'What "good" means,\nin two lines',
        "type": objective.type,
        "tags": list(objective.tags),
        "thresholds": [_threshold(objective)],
        "created_at": objective.created,
        "modified_at": objective.created + objective.number * HOUR,
        "creator": creator,
        **({"query": query} if objective.type == "metric" else {}),
        **({"monitor_ids": [1_000 + objective.number]} if objective.type == "monitor" else {}),
    }


def write_history(
    world: World, objective: Objective, first: int, last: int, *, now: int, target: float | None, corrected: bool
) -> Json:
    """Returns what an objective did in a span, as one object."""
    hours = world.hours(objective, first, last, now=now, corrected=corrected)
    value = _sli(objective, hours)
    frame = objective.timeframe
    targets = {frame: objective.target} | ({"custom": target} if target is not None else {})
    overall: Json = {
        "name": objective.name,
        "sli_value": value,
        "span_precision": 2,
        "precision": dict.fromkeys(targets, 2),
        "error_budget_remaining": {name: _budget(value, goal) for name, goal in targets.items()},
        "errors": [],
    }
    data: Json = {
        "type": objective.type,
        "type_id": {"metric": 1, "monitor": 0, "time_slice": 2}[objective.type],
        "from_ts": first,
        "to_ts": last,
        "group_by": [],
        "overall": overall,
        "groups": [],
        "monitors": [],
        "thresholds": {frame: _threshold(objective)},
    }
    if objective.type == "metric":
        data["series"] = _series(hours)
    else:
        overall["history"] = [[hour.start, int(_is_bad(hour, objective))] for hour in hours]
    if objective.type == "monitor":
        data["monitors"] = [{**overall, "monitor_type": "metric alert"}]
    return data


def write_status(world: World, objective: Objective, first: int, last: int, *, now: int, corrected: bool) -> Json:
    """Returns how an objective stands over a span."""
    value = _sli(objective, world.hours(objective, first, last, now=now, corrected=corrected))
    budget = _budget(value, objective.target)
    state = "no_data" if value is None else "ok" if value >= objective.target else "breached"
    unit = "seconds" if objective.type != "metric" else "requests"
    attributes = {
        "sli": value,
        "error_budget_remaining": budget,
        "raw_error_budget_remaining": {"unit": unit, "value": None if budget is None else round(budget * 36, 2)},
        "span_precision": 2,
        "state": state,
    }
    return {"id": objective.id, "type": "slo_status", "attributes": attributes}


def write_correction(correction: Correction) -> Json:
    """Returns a correction."""
    attributes = {
        "slo_id": correction.objective.id,
        "category": "Scheduled Maintenance",
        "description": "Database upgrade",
        "start": correction.start,
        "end": correction.end,
        "duration": None,
        "rrule": None,
        "timezone": "UTC",
        "created_at": correction.created,
        "modified_at": correction.created,
    }
    return {"id": correction.id, "type": "correction", "attributes": attributes}


def _sli(objective: Objective, hours: Sequence[Hour]) -> float | None:
    """Returns the share that was good, in percent; None without data."""
    if not hours:
        return None
    if objective.type == "metric":
        total = sum(hour.total for hour in hours)
        return round(100 * sum(hour.good for hour in hours) / total, 4) if total else None
    return round(100 * sum(not _is_bad(hour, objective) for hour in hours) / len(hours), 4)


def _is_bad(hour: Hour, _objective: Objective) -> bool:
    return hour.total > 0 and hour.good < _BREACH_SHARE * hour.total


def _budget(value: float | None, target: float) -> float | None:
    return None if value is None else round(100 * (1 - (100 - value) / (100 - target)), 4)


def _series(hours: Sequence[Hour]) -> Json:
    def counted(values: list[int]) -> Json:
        return {"count": len(values), "sum": sum(values), "values": values}

    return {
        "interval": HOUR,
        "times": [1_000 * hour.start for hour in hours],
        "numerator": counted([hour.good for hour in hours]),
        "denominator": counted([hour.total for hour in hours]),
    }


def _threshold(objective: Objective) -> Json:
    return {"timeframe": objective.timeframe, "target": objective.target, "target_display": f"{objective.target:g}"}
