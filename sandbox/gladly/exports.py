"""Export jobs: one a day for the UTC day before, with its records as JSON lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from sandbox.gladly.items import conversation_items
from sandbox.gladly.roster import Roster
from sandbox.gladly.timeline import DAY, HOUR, MINUTE, SECOND, write_time
from sandbox.gladly.world import World
from sandbox.seeded import fraction, identifier

FILES = ("agents.jsonl", "conversation_items.jsonl", "customers.jsonl", "topics.jsonl")
# Jobs older than this are gone.
KEPT = 14 * DAY
_QUEUED_AFTER = 6 * HOUR
_STARTED_AFTER = 6 * HOUR + 40 * MINUTE
_DONE_AFTER = 7 * HOUR


@dataclass(frozen=True)
class ExportJob:
    """One job; times in milliseconds of UTC."""

    id: str
    schedule_id: str
    status: str
    start: int
    end: int
    updated_at: int

    def describe(self) -> dict[str, Any]:
        """Returns the job as the API shows it; it has files once it is completed."""
        return {
            "id": self.id,
            "scheduleId": self.schedule_id,
            "status": self.status,
            "updatedAt": write_time(self.updated_at),
            "parameters": {"type": "CONVERSATIONS", "startAt": _write(self.start), "endAt": _write(self.end)},
            "files": list(FILES) if self.status == "COMPLETED" else [],
        }


def schedules(world: World, now: int) -> list[dict[str, Any]]:
    """Returns the organisation's one schedule."""
    tomorrow = _utc_midnight(_utc_day(now) + timedelta(days=1))
    return [
        {
            "id": schedule_id(world.roster),
            "frequency": "DAILY",
            "type": "CONVERSATIONS",
            "nextStartAt": _write(tomorrow),
            "updatedAt": _write(_utc_midnight(date(2024, 1, 1))),
        }
    ]


def jobs(world: World, now: int) -> Iterator[ExportJob]:
    """Yields the jobs that exist now, newest first; each is queued in the night after its day."""
    day = _utc_day(now) - timedelta(days=1)
    while True:
        job = _job(world, day, now)
        if job is not None:
            if job.updated_at < now - KEPT:
                return
            yield job
        day -= timedelta(days=1)


def write_file(world: World, job: ExportJob, name: str) -> bytes:
    """Returns one of a job's files.

    Raises:
        KeyError: A job has no such file.
    """
    makers: dict[str, Callable[[], Iterable[dict[str, Any]]]] = {
        "agents.jsonl": lambda: _agents(world.roster),
        "conversation_items.jsonl": lambda: (item for item, _ in conversation_items(world, job.start, job.end)),
        "customers.jsonl": lambda: _customers(world, job),
        "topics.jsonl": lambda: topics(world.roster),
    }
    return b"".join(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE) for record in makers[name]())


def topics(roster: Roster) -> Iterator[dict[str, Any]]:
    """Yields topics; `parentId` is absent at the top of the hierarchy."""
    for topic in roster.topics:
        parent = {"parentId": topic.parent_id} if topic.parent_id else {}
        yield {"id": topic.id, "name": topic.name, "disabled": topic.disabled, **parent}


def schedule_id(roster: Roster) -> str:
    """Returns the id of the organisation's schedule."""
    return identifier(roster.seed, roster.organization, "schedule")


def _agents(roster: Roster) -> Iterator[dict[str, Any]]:
    return ({"id": agent.id, "name": agent.name, "emailAddress": agent.email} for agent in roster.agents)


def _customers(world: World, job: ExportJob) -> Iterator[dict[str, Any]]:
    numbers = {customer for _, customer in conversation_items(world, job.start, job.end)}
    for number in sorted(numbers):
        customer = world.roster.customer(number)
        external = {"externalCustomerId": customer.external_id} if customer.external_id else {}
        yield {
            "id": customer.id,
            "name": customer.name,
            "address": customer.address,
            "emailAddresses": [customer.email],
            "phoneNumbers": [customer.phone],
            **external,
        }


def _job(world: World, day: date, now: int) -> ExportJob | None:
    end = _utc_midnight(day + timedelta(days=1))
    key = (world.roster.seed, world.organization, "export-job", day)
    done = end + _DONE_AFTER + int(fraction(*key) * 40 * MINUTE)
    steps = (("COMPLETED", done), ("IN_PROGRESS", end + _STARTED_AFTER), ("PENDING", end + _QUEUED_AFTER))
    for status, since in steps:
        if since <= now:
            return ExportJob(identifier(*key), schedule_id(world.roster), status, end - DAY, end, since)
    return None


def _utc_day(at: int) -> date:
    return datetime.fromtimestamp(at / SECOND, UTC).date()


def _utc_midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND


def _write(at: int) -> str:
    return f"{write_time(at)[:-5]}Z"
