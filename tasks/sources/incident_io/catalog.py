"""incident.io's lists, declared for the shared walk: path, list key, paging, window.

Facts: incident.io API reference; page sizes are the documented maxima. Resources are versioned one by one. Follow-ups
are read from v3: v2 ends on 2026-12-31.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from penstock.sources.incident_io import IncidentIoDataset, Resource
from penstock.sources.rest import CursorPaging, NoPaging, Paging, ParentSpec, RestDataset, WindowParameters

_TOTAL = "pagination_meta.total_record_count"


class _List(NamedTuple):
    """Where a list is, and how many of its records a page holds at most; None where it comes whole."""

    path: str
    page_size: int | None = None


_LISTS: dict[Resource, _List] = {
    "actions": _List("/v2/actions"),
    "alerts": _List("/v2/alerts", 50),
    "catalog_entries": _List("/v3/catalog_entries", 250),
    "catalog_types": _List("/v3/catalog_types"),
    "custom_field_options": _List("/v1/custom_field_options", 250),
    "custom_fields": _List("/v2/custom_fields"),
    "escalations": _List("/v2/escalations", 50),
    "follow_ups": _List("/v3/follow_ups", 250),
    "incident_alerts": _List("/v2/incident_alerts", 50),
    "incident_roles": _List("/v2/incident_roles"),
    "incident_statuses": _List("/v1/incident_statuses"),
    "incident_timestamps": _List("/v2/incident_timestamps"),
    "incident_types": _List("/v1/incident_types"),
    "incident_updates": _List("/v2/incident_updates", 250),
    "incidents": _List("/v2/incidents", 250),
    "severities": _List("/v1/severities"),
    "users": _List("/v2/users", 250),
}

# Lists that must be asked for once per record of another.
_PARENTS: dict[Resource, tuple[Resource, str]] = {
    "catalog_entries": ("catalog_types", "catalog_type_id"),
    "custom_field_options": ("custom_fields", "custom_field_id"),
}


def declared(dataset: IncidentIoDataset) -> RestDataset:
    """Returns a dataset as the shared walk reads it."""
    resource = dataset.resource
    settings: dict[str, Any] = {
        "name": dataset.name,
        "path": _LISTS[resource].path,
        "records": resource,
        "paging": _paging(resource),
    }
    if _LISTS[resource].page_size is not None:
        settings |= {"total": _TOTAL, "total_may_be_absent": True}
    if resource == "incidents":
        settings |= {"parameters": _incident_parameters(dataset), "window_parameters": _days_around(dataset.by)}
    if resource in _PARENTS:
        parent, name = _PARENTS[resource]
        where = {"type_name": dataset.catalog_types} if dataset.catalog_types else {}
        settings |= {
            "parameters": {name: f"{{{name}}}"},
            # What was archived or deleted between the two requests is gone; so are its entries.
            "parent": ParentSpec(
                path=_LISTS[parent].path, records=parent, field="id", name=name, where=where, gone="skip"
            ),
        }
    return RestDataset.model_validate(settings)


def _paging(resource: Resource) -> Paging:
    size = _LISTS[resource].page_size
    if size is None:
        return NoPaging(kind="none")
    return CursorPaging(
        kind="cursor", parameter="after", path="pagination_meta.after", size_parameter="page_size", size=size
    )


def _incident_parameters(dataset: IncidentIoDataset) -> dict[str, Any]:
    """Returns the query of a list of incidents, oldest first.

    The cursor is a place in the asked order: newest first, an incident that is declared meanwhile would move the rest.
    """
    modes = {"mode[one_of]": dataset.modes} if dataset.modes else {}
    return {"sort_by": "created_at_oldest_first", **modes, **dataset.filters}


def _days_around(field: str) -> WindowParameters:
    """Returns how a list of incidents is asked for by a time.

    The filters take dates of UTC. Whether `lte` means the whole of its day or its first instant is not documented, so
    the day after the last one is asked for, and records outside of the window are left out.
    """
    return WindowParameters(
        start=f"{field}[gte]", end=f"{field}[lte]", format="date", timezone="UTC", narrowed_by=field
    )
