"""A Datadog SLO source's pipeline file. Facts: Datadog API reference, Service Level Objectives v1 and v2, 2026-11."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.traits import WHOLE, WINDOWED

Report = Literal["slos", "history", "status", "corrections"]
_PER_SLO = ("history", "status")


class DatadogSloDataset(DatasetSpec):
    """Definitions and corrections as a whole; history and status of every SLO, a row per SLO and day (or `every`)."""

    report: Report = Field(
        description="`slos` and `corrections` are lists; `history` and `status` ask for each SLO over the window."
    )
    every: Literal["1h", "1d"] = Field(
        default="1d", description="For history and status: how much of the window a row tells of."
    )
    tags_query: str | None = Field(default=None, description="Only SLOs with this tag, such as `team:core`.")
    target: float | None = Field(
        default=None, gt=0, lt=100, description="For history: also the budget that is left for this target."
    )
    apply_correction: bool = Field(
        default=True, description="For history: whether status corrections leave out what they cover."
    )
    concurrency: int = Field(default=4, ge=1, le=16, description="For history and status: SLOs asked for at once.")

    @model_validator(mode="after")
    def _fits_its_report(self) -> DatadogSloDataset:
        if self.report not in _PER_SLO and self.every != "1d":
            raise ValueError("`every` is for history and status")
        if self.report != "history" and (self.target is not None or not self.apply_correction):
            raise ValueError("`target` and `apply_correction` are for history")
        if self.report == "corrections" and self.tags_query is not None:
            raise ValueError("corrections cannot be chosen by a tag")
        return self


class DatadogSloSource(SourceSpec):
    """A Datadog organisation's service level objectives."""

    kind: Literal["datadog_slo"]


def datadog_slo_traits(dataset: DatasetSpec) -> SourceTraits:
    """Returns a report's traits: what is asked for per SLO has a window, the lists have not."""
    return WINDOWED if isinstance(dataset, DatadogSloDataset) and dataset.report in _PER_SLO else WHOLE
