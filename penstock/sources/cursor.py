"""A Cursor source's pipeline file, and what its Admin API offers.

Facts: docs.cursor.com, Admin API. Amounts are cents; days are UTC's; aggregates are rebuilt hourly. Windows are
inclusive to the millisecond and 30 days at most.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from penstock.connections.cursor import CursorConnection
from penstock.sources.base import SourceSpec
from penstock.sources.declared import Catalogue, DeclaredDataset, declare


def _pages(size: int, **paging: str) -> dict[str, Any]:
    return {"kind": "page_number", "location": "body", "size_parameter": "pageSize", "size": size, **paging}


_WINDOW = {
    "location": "body",
    "start": "startDate",
    "end": "endDate",
    "format": "epoch_ms",
    "end_inclusive": True,
    "granularity": "millisecond",
    "longest": "30d",
}

CURSOR_REPORTS = declare(
    members={"path": "/teams/members", "records": "teamMembers"},
    # With a page number all members are listed, without one the active ones.
    daily_usage={
        "path": "/teams/daily-usage-data",
        "method": "POST",
        "records": "data",
        "bucket": {"kind": "row", "time": "date"},
        "paging": _pages(100, more_path="pagination.hasNextPage"),
        "window_parameters": _WINDOW,
    },
    # Events have no id: they are replaced by the day. New ones move the others on: a request asks for one closed day.
    usage_events={
        "path": "/teams/filtered-usage-events",
        "method": "POST",
        "records": "usageEvents",
        "bucket": {"kind": "row", "time": "timestamp"},
        "paging": _pages(1000, more_path="pagination.hasNextPage"),
        "total": "totalUsageEventsCount",
        "window_parameters": {**_WINDOW, "longest": "1d"},
    },
    # Of the running billing cycle alone, which every row therefore names.
    spend={
        "path": "/teams/spend",
        "method": "POST",
        "records": "teamMemberSpend",
        "carry": {"subscriptionCycleStart": "subscriptionCycleStart"},
        "paging": _pages(100, pages_path="totalPages"),
        "total": "totalMembers",
    },
)


class CursorDataset(DeclaredDataset[CursorConnection]):
    """One report of the Admin API."""

    catalogue: ClassVar[Catalogue] = CURSOR_REPORTS

    report: Literal["members", "daily_usage", "usage_events", "spend"]


class CursorSource(SourceSpec):
    """A Cursor team's usage and spend."""

    kind: Literal["cursor"]
