"""What hangs on incidents: updates, follow-ups, actions, alerts and their links, escalations."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sandbox.incident_io.identity import ulid, write_instant
from sandbox.incident_io.lives import Life
from sandbox.incident_io.records import severity_of
from sandbox.incident_io.world import World
from sandbox.seeded import random_stream

Json = dict[str, Any]

_TITLES = ("Add an alert", 'Write the "runbook"', "Raise the limit,\nand test it", "Review the rollout")
_OPEN_SHARE, _DONE_SHARE = 0.35, 0.85
_SECOND_ALERT_SHARE = 0.4


def updates_of(world: World, life: Life, now: datetime) -> Iterator[Json]:
    """Yields what was posted on an incident, oldest first."""
    for place, change in enumerate(life.changes):
        if not change.message or change.at > now:
            continue
        state = life.state(change.at)
        severity = severity_of(world, state)
        update: Json = {
            "id": _id(world, life, "update", place, change.at),
            "incident_id": world.incident_id(life),
            "created_at": write_instant(change.at),
            "message": change.message,
            "new_incident_status": world.setup.status(state.stage),
            **({"new_severity": severity} if severity is not None else {}),
            "updater": {"user": world.setup.users[state.fields["reporter"]]},
        }
        if change.stage == "merged":
            update["merged_into_incident_id"] = world.incident_id_back(life, change.fields["merges_back"])
        yield update


def follow_ups_of(world: World, life: Life, now: datetime) -> Iterator[Json]:
    """Yields what was left to do after an incident."""
    ended = next((change.at for change in life.changes if change.stage == "review"), None)
    stream = random_stream(world.workspace.name, "follow-ups", life.created)
    for place in range(int(stream.random() * 3)):
        written = (ended or now) + timedelta(hours=1 + 20 * stream.random())
        done = written + timedelta(days=1 + 20 * stream.random())
        drawn, is_done = stream.random(), done <= now
        if ended is None or written > now:
            continue
        status = "outstanding" if drawn < _OPEN_SHARE else "completed" if drawn < _DONE_SHARE else "not_doing"
        yield {
            "id": _id(world, life, "follow-up", place, written),
            "incident_id": world.incident_id(life),
            "title": _TITLES[place + life.number % 2],
            "description": None,
            "status": status if is_done else "outstanding",
            "priority": {"id": f"priority-{place}", "name": "Urgent" if place == 0 else "Later", "rank": place},
            "labels": [],
            **({"completed_at": write_instant(done)} if is_done and status == "completed" else {}),
            "created_at": write_instant(written),
            "updated_at": write_instant(done if is_done and status != "outstanding" else written),
        }


def actions_of(world: World, life: Life, now: datetime) -> Iterator[Json]:
    """Yields what was to be done during an incident."""
    for place, change in enumerate(life.changes):
        if change.stage == "working" and change.at <= now:
            yield {
                "id": _id(world, life, "action", place, change.at),
                "incident_id": world.incident_id(life),
                "description": "Roll back",
                "status": "completed" if life.changes[-1].at <= now else "outstanding",
                "created_at": write_instant(change.at),
                "updated_at": write_instant(min(life.changes[-1].at, now)),
            }


def alerts_of(world: World, life: Life, now: datetime) -> Iterator[Json]:
    """Yields the alerts that led to an incident."""
    stream = random_stream(world.workspace.name, "alerts", life.created)
    for place in range(1 + (stream.random() < _SECOND_ALERT_SHARE)):
        fired = life.created - timedelta(seconds=40 + 400 * stream.random())
        resolved = life.created + timedelta(minutes=20 + 200 * stream.random())
        is_resolved = resolved <= now
        yield {
            "id": _id(world, life, "alert", place, fired),
            "title": f"Error budget burns, {place}",
            "status": "resolved" if is_resolved else "firing",
            "deduplication_key": f"{world.workspace.name}-{life.number}-{place}",
            "alert_source_id": f"source-{world.workspace.name}",
            "attributes": [],
            "created_at": write_instant(fired),
            "updated_at": write_instant(resolved if is_resolved else fired),
            **({"resolved_at": write_instant(resolved)} if is_resolved else {}),
        }


def alert_links_of(world: World, life: Life, now: datetime) -> Iterator[Json]:
    """Yields which alert belongs to the incident."""
    incident = {"id": world.incident_id(life), "reference": f"INC-{life.number}"}
    for place, alert in enumerate(alerts_of(world, life, now)):
        shown = {"id": alert["id"], "title": alert["title"], "status": alert["status"]}
        yield {"id": _id(world, life, "link", place, life.created), "alert": shown, "incident": incident}


def escalations_of(world: World, life: Life, now: datetime) -> Iterator[Json]:
    """Yields whom the incident woke up; the least severe ones wake nobody."""
    if not life.state(now).fields.get("severity"):
        return
    yield {
        "id": _id(world, life, "escalation", 0, life.created),
        "title": f"INC-{life.number}",
        "status": "acked",
        "created_at": write_instant(life.created),
        "updated_at": write_instant(life.created),
        "related_incidents": [{"id": world.incident_id(life)}],
    }


def _id(world: World, life: Life, kind: str, place: int, moment: datetime) -> str:
    return ulid(moment, world.workspace.name, kind, life.number, place)
