"""Sources whose API is fixed: a kind's endpoints are declared here as data, and one extractor reads them all.

A kind is a catalogue of `RestDataset`s by report, a dataset type whose `report` chooses from it, and a connection that
says what it is as a REST connection (`penstock.connections.declared`). `penstock/sources/cursor.py` is a short one to
begin an eighth from; `docs/sources/ai_tools.md` lists the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import Field, model_validator

from penstock.connections.declared import DeclaredConnection
from penstock.findings import Finding
from penstock.sources.base import DatasetSpec, SourceTraits
from penstock.sources.rest import CursorPaging, Granularity, OffsetPaging, PageNumberPaging, RestDataset
from penstock.sources.traits import WHOLE, WINDOWED
from penstock.window import TimeWindow

Catalogue = Mapping[str, RestDataset]
C = TypeVar("C", bound=DeclaredConnection)


class DeclaredDataset(DatasetSpec, Generic[C]):
    """One report of a declared API; the kinds add what of it may be varied."""

    catalogue: ClassVar[Catalogue] = {}

    report: str = Field(description="What is read, of what the kind offers.")
    page_size: int | None = Field(
        default=None, ge=1, description="Fewer to a page than the API's most, should its answers time out."
    )

    @property
    def declaration(self) -> RestDataset:
        """The report as it is declared."""
        return self.catalogue[self.report]

    def endpoint(self, connection: C) -> RestDataset:  # noqa: ARG002 - for those whose requests name the account
        """Returns what to ask of a connection."""
        return self.sized(self.declaration)

    def sized(self, endpoint: RestDataset) -> RestDataset:
        """Returns an endpoint with the dataset's own size of pages, where it has pages of a size."""
        paging = endpoint.paging
        if self.page_size is None or not isinstance(paging, CursorPaging | OffsetPaging | PageNumberPaging):
            return endpoint
        return endpoint.model_copy(update={"paging": paging.model_copy(update={"size": self.page_size})})


BucketWidth = Literal["1d", "1h", "1m"]
# The most buckets on a page, and the step of the API's clock: a bound between two steps would be snapped down.
_WIDTHS: dict[BucketWidth, tuple[int, Granularity]] = {"1d": (31, "day"), "1h": (168, "hour"), "1m": (1440, "minute")}
_WIDTH = "bucket_width"


class BucketedDataset(DeclaredDataset[C]):
    """A report in buckets of time, whose width and grouping may be others than the declared ones.

    Anthropic and OpenAI share these parameters down to the number of buckets that a page may have.
    """

    group_parameter: ClassVar[str] = "group_by"
    only_days: ClassVar[frozenset[str]] = frozenset()

    bucket_width: BucketWidth | None = Field(default=None, description="How long a bucket is; a day of UTC if empty.")
    group_by: tuple[str, ...] | None = Field(
        default=None, description="What a bucket is split by; empty for its total. All that is of use if left out."
    )

    @model_validator(mode="after")
    def _fits_the_report(self) -> Self:
        declared = self.catalogue[self.report].parameters
        if self.bucket_width is not None and (_WIDTH not in declared or self.report in self.only_days):
            raise ValueError(f"`{self.report}` takes no `bucket_width`")
        if self.group_by is not None and self.group_parameter not in declared:
            raise ValueError(f"`{self.report}` takes no `group_by`")
        return self

    @property
    def declaration(self) -> RestDataset:
        """The report with the dataset's own width and grouping."""
        declared = self.catalogue[self.report]
        changed: dict[str, Any] = {}
        parameters = dict(declared.parameters)
        if self.group_by is not None:
            parameters[self.group_parameter] = self.group_by
        if self.bucket_width is not None and isinstance(declared.paging, CursorPaging) and declared.window_parameters:
            size, granularity = _WIDTHS[self.bucket_width]
            parameters[_WIDTH] = self.bucket_width
            changed["paging"] = declared.paging.model_copy(update={"size": size})
            changed["window_parameters"] = declared.window_parameters.model_copy(update={"granularity": granularity})
        return declared.model_copy(update={**changed, "parameters": parameters})


def declare(**reports: dict[str, Any]) -> dict[str, RestDataset]:
    """Returns a catalogue; each report is written as a dataset in a pipeline file of kind `rest`."""
    return {name: RestDataset.model_validate({"name": name, **report}) for name, report in reports.items()}


def declared_traits(dataset: DatasetSpec) -> SourceTraits:
    """Returns a report's traits: one without a window is a list that comes whole."""
    is_windowed = isinstance(dataset, DeclaredDataset) and dataset.declaration.window_parameters is not None
    return WINDOWED if is_windowed else WHOLE


def check_declared_dataset(dataset: DatasetSpec, window: TimeWindow) -> Iterator[Finding]:
    """Yields what the API would refuse, or answer for another time than was asked."""
    if not isinstance(dataset, DeclaredDataset) or dataset.declaration.window_parameters is None:
        return
    if window.kind == "full":
        yield Finding(
            ("report",),
            f"the report `{dataset.report}` needs a start and an end, and the window is `full`",
            "Give the dataset a window with bounds, such as {kind: daily, timezone: UTC}.",
        )
    elif window.kind == "daily" and window.timezone != "UTC" and _is_counted_in_days(dataset.declaration):
        yield Finding(
            ("window", "timezone"),
            f"the report `{dataset.report}` is counted in days of UTC, and the window's are of {window.timezone}",
            "Set the window's `timezone` to UTC.",
        )


def _is_counted_in_days(report: RestDataset) -> bool:
    """Whether the vendor cuts a report's days, in UTC; lists of what has changed take any moment."""
    asked = report.window_parameters
    return report.bucket is not None or (asked is not None and asked.format == "date")
