"""A Sourcegraph source's pipeline file, and what its analytics service offers.

Facts: sourcegraph.com/docs/analytics/api. The answer is CSV whose columns are not published, so it is kept as it is;
dates are inclusive, days are taken for UTC's; nothing has pages, so rows of days are asked for a month at a time. Rows
that tell of more than a day tell of the days that were asked for, and their counts of people cannot be added up: these
are asked for as the window is.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from penstock.connections.sourcegraph import SourcegraphConnection
from penstock.sources.base import SourceSpec
from penstock.sources.declared import Catalogue, DeclaredDataset, declare
from penstock.sources.rest import RestDataset

SOURCEGRAPH_REPORTS = declare(
    user_activity={
        "path": "/api/reports/by-user-client-date",
        "parameters": {"granularity": "by_user_day_client_language"},
        "answer": "csv",
        "window_parameters": {
            "start": "startDate",
            "end": "endDate",
            "format": "date",
            "end_inclusive": True,
            "timezone": "UTC",
            "longest": "28d",
        },
    },
)


class SourcegraphDataset(DeclaredDataset[SourcegraphConnection]):
    """The report of who did what, as finely as is asked."""

    catalogue: ClassVar[Catalogue] = SOURCEGRAPH_REPORTS

    report: Literal["user_activity"] = "user_activity"
    granularity: Literal["by_user", "by_user_month", "by_user_day", "by_user_day_client_language"] = (
        "by_user_day_client_language"
    )

    @model_validator(mode="after")
    def _has_no_pages(self) -> Self:
        if self.page_size is not None:
            raise ValueError("Sourcegraph's report has no pages")
        return self

    @property
    def declaration(self) -> RestDataset:
        """The report with the dataset's own granularity."""
        declared = self.catalogue[self.report]
        changed: dict[str, Any] = {"parameters": {"granularity": self.granularity}}
        if not self.granularity.startswith("by_user_day") and declared.window_parameters is not None:
            changed["window_parameters"] = declared.window_parameters.model_copy(update={"longest": None})
        return declared.model_copy(update=changed)


class SourcegraphSource(SourceSpec):
    """Use of Sourcegraph and Cody on an instance."""

    kind: Literal["sourcegraph"]
