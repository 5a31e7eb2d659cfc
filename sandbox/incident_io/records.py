"""Incidents as the API writes them, as they stand at a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.incident_io.identity import write_instant
from sandbox.incident_io.lives import Life, State
from sandbox.incident_io.world import World

Json = dict[str, Any]


def write_incident(world: World, life: Life, now: datetime) -> Json:
    """Returns an incident; what has not happened yet is left out or null, as the API has it."""
    state = life.state(now)
    fields = state.fields
    has_document = bool(fields.get("postmortem"))
    return {
        "id": world.incident_id(life),
        "reference": f"INC-{life.number}",
        "name": _name(world, life, now),
        "summary": fields.get("summary"),
        "mode": life.mode,
        "visibility": "public",
        "created_at": write_instant(life.created),
        "updated_at": write_instant(state.updated_at or life.created),
        "permalink": f"https://app.incident.io/{world.workspace.name}/incidents/{life.number}",
        **({"postmortem_document_url": f"https://docs.example.com/{life.number}"} if has_document else {}),
        "has_debrief": has_document,
        "slack_team_id": f"T-{world.workspace.name}",
        "slack_channel_id": f"C{life.number:08d}" if fields.get("channel") else "",
        "creator": {"user": world.setup.users[fields["reporter"]]},
        "severity": severity_of(world, state),
        "incident_status": world.setup.status(state.stage),
        "incident_type": world.setup.types[0],
        "incident_role_assignments": _roles(world, state),
        "custom_field_entries": _custom_fields(world, state, now),
        "incident_timestamp_values": _timestamps(world, state),
        "duration_metrics": _metrics(world, state),
        "workload_minutes_total": round(7.3 * len(state.stamps) + life.number % 90, 1),
    }


def severity_of(world: World, state: State) -> Json | None:
    """Returns an incident's severity, None before anybody has chosen it."""
    rank = state.fields.get("severity")
    severities = world.setup.severities
    return None if rank is None else severities[min(rank, len(severities) - 1)]


def _name(world: World, life: Life, now: datetime) -> str:
    names = [world.catalogue.reference(number, now)["name"] for number in life.services]
    return f'{" and ".join(names) or "Something"} is failing, "again"'


def _roles(world: World, state: State) -> list[Json]:
    people = (state.fields.get("lead"), state.fields["reporter"], None)
    return [
        {"role": role, **({"assignee": world.setup.users[person]} if person is not None else {})}
        for role, person in zip(world.setup.roles, people, strict=True)
    ]


def _custom_fields(world: World, state: State, now: datetime) -> list[Json]:
    cause, customers, note = (state.fields.get(name) for name in ("cause", "customers", "note"))
    services = [{"value_catalog_entry": world.catalogue.reference(one, now)} for one in state.fields["services"]]
    values: dict[str, list[Json]] = {
        "services": services,
        "cause": [] if cause is None else [{"value_option": world.setup.causes[cause]}],
        # Numbers are texts in this API.
        "customers": [] if customers is None else [{"value_numeric": str(customers)}],
        "ticket": [],
        "note": [] if note is None else [{"value_text": note}],
    }
    shown = ("id", "name", "description", "field_type", "options")
    return [
        {"custom_field": {name: field[name] for name in shown}, "values": values[key]}
        for key, field in world.setup.fields.items()
    ]


def _timestamps(world: World, state: State) -> list[Json]:
    return [
        {
            "incident_timestamp": definition,
            **({"value": {"value": write_instant(state.stamps[moment])}} if moment in state.stamps else {}),
        }
        for moment, definition in world.setup.timestamps.items()
    ]


def _metrics(world: World, state: State) -> list[Json]:
    """Returns the workspace's durations; one that has not ended, or ends before it begins, has no value."""
    metrics = []
    for metric, first, last in world.setup.metrics:
        seconds = None
        if first in state.stamps and last in state.stamps:
            seconds = int((state.stamps[last] - state.stamps[first]).total_seconds())
        has_value = seconds is not None and seconds >= 0
        metrics.append({"duration_metric": metric, **({"value_seconds": seconds} if has_value else {})})
    return metrics
