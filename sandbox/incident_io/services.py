"""The catalogue: services and teams; services come twice, change their names, are archived, and are deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.incident_io.identity import ulid, write_instant
from sandbox.incident_io.settings import Workspace

Json = dict[str, Any]

_SERVICES = (
    "checkout", "search", "identity", "catalogue", "notifications", "billing", "ledger", "gateway", "reports",
    "mobile-api", "image-proxy",
)  # fmt: skip
_TEAMS = ("Core", "Money", "Reach")
_WITHOUT_EXTERNAL_ID = 3
_ARCHIVED = 8
_DELETED = 9
_RENAMED = 10
_AFTER = timedelta(days=75)


@dataclass(frozen=True)
class CatalogueService:
    """One entry; a service that is archived stays in the list, one that is deleted does not.

    Args:
        renamed_at: When it got `new_name`.
    """

    number: int
    id: str
    name: str
    external_id: str | None
    team: int
    renamed_at: datetime | None = None
    new_name: str = ""
    archived_at: datetime | None = None
    deleted_at: datetime | None = None

    def name_at(self, now: datetime) -> str:
        """Returns what it is called at a moment."""
        return self.new_name if self.renamed_at is not None and self.renamed_at <= now else self.name


class Catalogue:
    """A workspace's catalogue, decided by its name and the seed."""

    def __init__(self, workspace: Workspace, *, seed: int, opened: datetime) -> None:
        self._key = (seed, workspace.name)
        self._opened = opened
        self._service_type = self._type(workspace.service_type, "service", ("Team", "Tier"))
        self._team_type = self._type('Custom["Team"]', "team", ())
        self.services = [self._service(number, name) for number, name in enumerate(_SERVICES)]
        # The same service once more, as a second importer writes it: another id, external id and spelling.
        self.services.append(self._service(len(_SERVICES), "Checkout", external_id="backstage:checkout"))

    @property
    def types(self) -> list[Json]:
        """Every type of entry."""
        return [self._service_type, self._team_type]

    def entries(self, type_id: str, now: datetime) -> list[Json] | None:
        """Returns the entries of a type at a moment, None where there is no such type."""
        if type_id == self._team_type["id"]:
            return [self._team_entry(number) for number in range(len(_TEAMS))]
        if type_id != self._service_type["id"]:
            return None
        return [self._entry(one, now) for one in self.services if one.deleted_at is None or now < one.deleted_at]

    def reference(self, number: int, now: datetime) -> Json:
        """Returns a service as an incident's custom field has it, also after it was deleted."""
        service = self.services[number]
        external = {"external_id": service.external_id} if service.external_id else {}
        return {"id": service.id, "name": service.name_at(now), "aliases": [], **external}

    def _service(self, number: int, name: str, external_id: str | None = None) -> CatalogueService:
        has_external_id = number != _WITHOUT_EXTERNAL_ID
        later = self._opened + _AFTER
        return CatalogueService(
            number=number,
            id=self._id("service", number),
            name=name,
            external_id=external_id or (f"svc-{name}" if has_external_id else None),
            team=number % len(_TEAMS),
            renamed_at=later if number == _RENAMED else None,
            new_name=f"{name}-v2",
            archived_at=later if number == _ARCHIVED else None,
            deleted_at=later if number == _DELETED else None,
        )

    def _entry(self, service: CatalogueService, now: datetime) -> Json:
        team, tier = (attribute["id"] for attribute in self._service_type["schema"]["attributes"])
        changes = [self._opened, service.renamed_at or self._opened, service.archived_at or self._opened]
        is_archived = service.archived_at is not None and service.archived_at <= now
        return {
            "id": service.id,
            "catalog_type_id": self._service_type["id"],
            "name": service.name_at(now),
            "external_id": service.external_id,
            "aliases": [],
            "rank": service.number,
            **({"archived_at": write_instant(service.archived_at)} if is_archived and service.archived_at else {}),
            "created_at": write_instant(self._opened),
            "updated_at": write_instant(max(change for change in changes if change <= now)),
            "attribute_values": {
                team: {"value": {"literal": self._id("team", service.team)}},
                tier: {"array_value": [{"literal": f"tier-{1 + service.number % 3}"}]},
            },
        }

    def _team_entry(self, number: int) -> Json:
        opened = write_instant(self._opened)
        return {
            "id": self._id("team", number),
            "catalog_type_id": self._team_type["id"],
            "name": _TEAMS[number],
            "external_id": None,
            "aliases": [_TEAMS[number].lower()],
            "rank": number,
            "created_at": opened,
            "updated_at": opened,
            "attribute_values": {},
        }

    def _type(self, type_name: str, kind: str, attributes: tuple[str, ...]) -> Json:
        opened = write_instant(self._opened)
        made = [
            {"id": self._id(kind, name), "name": name, "type": "String", "array": name == "Tier", "mode": "api"}
            for name in attributes
        ]
        return {
            "id": self._id("catalog-type", kind),
            "name": type_name.split('"')[1],
            "type_name": type_name,
            "schema": {"version": 1, "attributes": made},
            "created_at": opened,
            "updated_at": opened,
        }

    def _id(self, kind: str, number: object) -> str:
        return ulid(self._opened, *self._key, kind, number)
