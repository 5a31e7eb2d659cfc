"""What a workspace's people have set up: severities, statuses, roles, timestamps, metrics, custom fields, users."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.incident_io.identity import ulid, write_instant
from sandbox.incident_io.settings import Workspace

Json = dict[str, Any]

STAGES = {
    "triage": "triage",
    "open": "live",
    "working": "live",
    "watching": "live",
    "review": "learning",
    "closed": "closed",
    "paused": "paused",
    "declined": "declined",
    "merged": "merged",
    "canceled": "canceled",
}
"""Category of each stage of an incident."""

_SAME_AS_BEFORE = frozenset({"working", "watching"})
_NAMES = {"review": "Post-incident", "closed": "Closed", "paused": "Paused", "declined": "Declined"} | {
    "merged": "Merged",
    "canceled": "Canceled",
}
_ROLES = (("Incident Lead", "lead"), ("Reporter", "reporter"), ("Communications", "custom"))
_TYPES = (("Default", True), ("Security", False))
_CAUSES = ("Deployment", "Configuration", "Third party", 'Capacity, "planned"', "Unknown")
_PEOPLE = (
    "Ada Brandt", "Björn Castillo", "Chloé D'Souza", "Dmitri Eriksen", "Esra Fournier", "Farid Gupta", "Grace Hoffmann",
    "Hana Ito", "Iñigo Jansen", "Jolana Kovács",
)  # fmt: skip


class Setup:
    """The lists of one workspace, decided by its name and the seed; all are as old as the workspace."""

    def __init__(self, workspace: Workspace, *, seed: int, opened: datetime) -> None:
        self._key = (seed, workspace.name)
        self._opened = opened
        self.severities = [
            self._thing("severity", number, name=name, description="", rank=number)
            for number, name in enumerate(workspace.severities)
        ]
        self._statuses = self._make_statuses(workspace)
        self.types = [
            self._thing("type", number, name=name, is_default=is_default, description="", create_in_triage="optional")
            | {"private_incidents_only": name == "Security"}
            for number, (name, is_default) in enumerate(_TYPES)
        ]
        self.roles = [
            self._thing("role", number, name=name, role_type=role_type, shortform=role_type, description="")
            | {"instructions": "", "required": role_type == "lead"}
            for number, (name, role_type) in enumerate(_ROLES)
        ]
        self.timestamps = {
            moment: {"id": self._id("timestamp", moment), "name": name, "rank": rank}
            for rank, (moment, name) in enumerate(workspace.timestamps.items(), start=1)
        }
        self.metrics = [
            ({"id": self._id("metric", name), "name": name}, first, last) for name, first, last in workspace.metrics
        ]
        self.users = [self._user(number, workspace) for number in range(len(_PEOPLE))]
        self.fields = self._make_fields(workspace)
        self.causes = self._make_causes()

    @property
    def statuses(self) -> list[Json]:
        """Every status once; a stage without a status of its own is none."""
        return list({status["id"]: status for status in self._statuses.values()}.values())

    def status(self, stage: str) -> Json:
        """Returns the status that an incident of a stage has."""
        return self._statuses[stage]

    def _make_statuses(self, workspace: Workspace) -> dict[str, Json]:
        made: dict[str, Json] = {}
        before: Json = {}
        for rank, (stage, category) in enumerate(STAGES.items(), start=1):
            name = workspace.statuses.get(stage, _NAMES.get(stage))
            if name is None and stage in _SAME_AS_BEFORE:
                made[stage] = before
            else:
                made[stage] = self._thing("status", stage, name=name, category=category, description="", rank=rank)
            before = made[stage]
        return made

    def _make_fields(self, workspace: Workspace) -> dict[str, Json]:
        fields = {
            "services": (workspace.service_field, "multi_select"),
            "cause": ("Root cause", "single_select"),
            "customers": ("Customers affected", "numeric"),
            "ticket": ("Ticket", "link"),
            "note": ("Customer note", "text"),
        }
        return {
            key: self._thing("field", key, name=name, field_type=field_type, description="", options=[])
            for key, (name, field_type) in fields.items()
        }

    def _make_causes(self) -> list[Json]:
        field = self.fields["cause"]["id"]
        return [
            {"id": self._id("cause", number), "custom_field_id": field, "value": cause, "sort_key": 10 * number}
            for number, cause in enumerate(_CAUSES)
        ]

    def _user(self, number: int, workspace: Workspace) -> Json:
        return {
            "id": self._id("user", number),
            "name": _PEOPLE[number],
            "email": f"responder{number:02d}@{workspace.name}.example.com",
            "role": "responder",
            "slack_user_id": f"U{number:08d}",
        }

    def _thing(self, kind: str, number: object, **fields: Any) -> Json:
        opened = write_instant(self._opened)
        return {"id": self._id(kind, number), **fields, "created_at": opened, "updated_at": opened}

    def _id(self, kind: str, number: object) -> str:
        return ulid(self._opened, *self._key, kind, number)
