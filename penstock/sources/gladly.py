"""A Gladly source's pipeline file. Facts: Gladly REST API v1, reports and export jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from penstock.sources.base import DatasetSpec, SourceSpec
from penstock.spec import Spec

ExportFile = Literal["agents", "conversation_items", "customers", "topics"]
Collection = Literal["agents", "teams", "inboxes", "topics"]


class ReportFilters(Spec):
    """Narrows a report; an id that does not exist is refused by the API."""

    channel: str | None = None
    inboxes: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    phone_number: str | None = None


class GladlyDataset(DatasetSpec):
    """A report (CSV), one file of the export jobs (JSON lines), or a whole collection (JSON)."""

    report: str | None = Field(default=None, description="metricSet, such as ContactTimestampsReport.")
    export: ExportFile | None = None
    collection: Collection | None = None
    aggregation: Literal["halfHourly", "daily", "weekly", "monthly", "quarterly"] | None = None
    filters: ReportFilters = ReportFilters()
    row_cap: int = Field(default=100_000, ge=1, description="Where the API cuts a report off without saying so.")
    expected_columns: tuple[str, ...] = Field(
        default=(), description="Columns without which a report's answer is taken for an error, as the header has them."
    )

    @model_validator(mode="after")
    def _names_one_thing(self) -> GladlyDataset:
        if sum(value is not None for value in (self.report, self.export, self.collection)) != 1:
            raise ValueError("give exactly one of `report`, `export` and `collection`")
        return self


class GladlySource(SourceSpec):
    """A Gladly organisation."""

    kind: Literal["gladly"]
