"""An incident.io source's pipeline file. Facts: incident.io API reference (v1 to v3, resource by resource), 2026-11."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.traits import WHOLE, WINDOWED

Resource = Literal[
    "actions",
    "alerts",
    "catalog_entries",
    "catalog_types",
    "custom_field_options",
    "custom_fields",
    "escalations",
    "follow_ups",
    "incident_alerts",
    "incident_roles",
    "incident_statuses",
    "incident_timestamps",
    "incident_types",
    "incident_updates",
    "incidents",
    "severities",
    "users",
]
Mode = Literal["standard", "retrospective", "test", "tutorial"]
FilterName = Annotated[str, StringConstraints(pattern=r"^[a-z_]+(\[[^\[\]]+\]){1,2}$")]

# Said by the window; a second time would contradict it.
_OWN_FILTERS = re.compile(r"(created_at|updated_at|mode)\[")


class IncidentIoDataset(DatasetSpec):
    """One resource of a workspace: incidents by window, everything else as a whole."""

    resource: Resource = Field(description="Which list is read; each needs its own scope of the API key.")
    by: Literal["updated_at", "created_at"] = Field(
        default="updated_at", description="For incidents: which of their times the window is about."
    )
    modes: tuple[Mode, ...] = Field(
        default=(), description="For incidents: which modes; the API gives standard and retrospective ones if empty."
    )
    filters: dict[FilterName, tuple[str, ...]] = Field(
        default_factory=dict,
        description="For incidents: more filters as the API writes them, such as `status_category[one_of]`.",
    )
    catalog_types: tuple[str, ...] = Field(
        default=(), description='For catalog_entries: only these types, by type_name, such as `Custom["Service"]`.'
    )

    @model_validator(mode="after")
    def _fits_its_resource(self) -> IncidentIoDataset:
        if self.resource != "incidents" and (self.by != "updated_at" or self.modes or self.filters):
            raise ValueError("`by`, `modes` and `filters` are for `resource: incidents`")
        if self.resource != "catalog_entries" and self.catalog_types:
            raise ValueError("`catalog_types` is for `resource: catalog_entries`")
        own = [name for name in self.filters if _OWN_FILTERS.match(name)]
        if own:
            raise ValueError(f"`{own[0]}` is said by the window, by `by` or by `modes`")
        return self


class IncidentIoSource(SourceSpec):
    """An incident.io workspace; several of them are `for_each`, with a connection each."""

    kind: Literal["incident_io"]


def incident_io_traits(dataset: DatasetSpec) -> SourceTraits:
    """Returns a resource's traits: only incidents can be asked for by time."""
    return WINDOWED if isinstance(dataset, IncidentIoDataset) and dataset.resource == "incidents" else WHOLE
