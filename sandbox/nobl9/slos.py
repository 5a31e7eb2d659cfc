"""Service level objectives as they stand at a moment, in the API's own words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sandbox.seeded import fraction

Json = dict[str, Any]

_PROJECTS = ("shop", "core", "mobile")
_SERVICES = ("checkout", "search", "identity", "billing", "gateway")
_TARGETS = (0.99, 0.995, 0.999)
_WITHOUT_DATA = 7
"""Every seventh SLO has measured nothing yet, and leaves its metric fields out."""


def write_slo(number: int, now: datetime, *, seed: int) -> Json:
    """Returns an SLO; its status moves every hour."""
    project, service = _PROJECTS[number % len(_PROJECTS)], _SERVICES[number % len(_SERVICES)]
    name = f"{service}-{number:03d}"
    method = "Timeslices" if number % 4 == 0 else "Occurrences"
    return {
        "name": name,
        "displayName": f'{service.capitalize()} "{number}"',
        "description": "" if number % 3 else "Two lines\nof text",
        "project": {"name": project, "displayName": project.capitalize(), "labels": {"team": ["core"]}},
        "service": {"name": service, "displayName": service.capitalize(), "labels": {}},
        "createdAt": "2025-05-01T00:00:00Z",
        "budgetingMethod": method,
        "labels": {"tier": [f"{1 + number % 3}"]},
        "annotations": {},
        "objectives": [_objective(number, place, now, seed) for place in range(1 + number % 2)],
    }


def _objective(number: int, place: int, now: datetime, seed: int) -> Json:
    target = _TARGETS[(number + place) % len(_TARGETS)]
    objective: Json = {"name": f"good-{place}", "displayName": "Good", "target": target, "sliType": "ratio"}
    if number % _WITHOUT_DATA == 0:
        return objective
    hour = int((now - timedelta(minutes=1)).timestamp()) // 3_600
    total = 50_000 + int(50_000 * fraction(seed, "nobl9", number, place, hour))
    bad = int(total * (1 - target) * 1.6 * fraction(seed, "nobl9", number, place, hour, "bad"))
    spent = bad / (total * (1 - target))
    return {
        **objective,
        "burnRate": round(spent, 4),
        "errorBudgetRemaining": round((1 - spent) * 2_419.2, 2),
        "errorBudgetRemainingPercentage": round(1 - spent, 4),
        "reliability": round(1 - bad / total, 6),
        "counts": {"good": total - bad, "total": total},
    }
