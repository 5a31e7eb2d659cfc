"""A Windsurf source's pipeline file, and what its analytics API offers.

Facts: docs.windsurf.com, analytics API. Every call is a POST that holds the service key. Numbers are text and zeros are
left out; prompts used are hundredths of a credit; days are UTC's; data is refreshed about every three hours. Nothing
has pages: windows are 30 days at most.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from penstock.connections.windsurf import WindsurfConnection
from penstock.sources.base import SourceSpec
from penstock.sources.declared import Catalogue, DeclaredDataset, declare
from penstock.sources.rest import RestDataset

# Cascade's rows name no user: it is asked for each of the people whom this lists.
_PEOPLE = {"path": "/UserPageAnalytics", "method": "POST", "body": {}, "records": "userTableStats"}


def _cascade(query: str, rows: str, *, bucket: dict[str, str], longest: str) -> dict[str, Any]:
    return {
        "path": "/CascadeAnalytics",
        "method": "POST",
        "body": {"emails": ["{email}"], "query_requests": [{query: {}}]},
        "records": "queryResults",
        "rows": rows,
        "records_may_be_absent": True,
        "bucket": bucket,
        "window_parameters": {
            "location": "body",
            "start": "start_timestamp",
            "end": "end_timestamp",
            "format": "%Y-%m-%dT%H:%M:%SZ",
            "granularity": "day",
            "longest": longest,
        },
        "parent": {**_PEOPLE, "field": "email", "name": "email"},
    }


def _selection(name: str) -> dict[str, str]:
    return {"field": name, "name": name, "aggregation_function": "QUERY_AGGREGATION_SUM"}


_KEPT_APART = ("api_key", "date", "language", "ide")
_DATES = [{"name": "date", "filter": f"QUERY_FILTER_{relation}", "value": ""} for relation in ("GE", "LE")]

WINDSURF_REPORTS = declare(
    cascade_lines=_cascade(
        "cascade_lines", "cascadeLines.cascadeLines", bucket={"kind": "row", "time": "day"}, longest="30d"
    ),
    cascade_runs=_cascade(
        "cascade_runs", "cascadeRuns.cascadeRuns", bucket={"kind": "row", "time": "day"}, longest="30d"
    ),
    # Its rows have no day: a request asks for one.
    cascade_tools=_cascade(
        "cascade_tool_usage", "cascadeToolUsage.cascadeToolUsage", bucket={"kind": "request"}, longest="1d"
    ),
    autocomplete={
        "path": "/Analytics",
        "method": "POST",
        "body": {
            "query_requests": [
                {
                    "data_source": "QUERY_DATA_SOURCE_USER_DATA",
                    "selections": [
                        _selection(name) for name in ("num_acceptances", "num_lines_accepted", "num_bytes_accepted")
                    ],
                    "filters": _DATES,
                    "aggregations": [{"field": name, "name": name} for name in _KEPT_APART],
                }
            ]
        },
        "records": "queryResults",
        "rows": "responseItems",
        "records_may_be_absent": True,
        "bucket": {"kind": "row", "time": "item.date"},
        "window_parameters": {
            "location": "body",
            "start": "query_requests.0.filters.0.value",
            "end": "query_requests.0.filters.1.value",
            "format": "date",
            "end_inclusive": True,
            "timezone": "UTC",
            "longest": "30d",
        },
    },
    users={**_PEOPLE, "records_may_be_absent": True},
)


class WindsurfDataset(DeclaredDataset[WindsurfConnection]):
    """One report of the analytics API."""

    catalogue: ClassVar[Catalogue] = WINDSURF_REPORTS

    report: Literal["cascade_lines", "cascade_runs", "cascade_tools", "autocomplete", "users"]

    @model_validator(mode="after")
    def _has_no_pages(self) -> Self:
        if self.page_size is not None:
            raise ValueError("nothing of Windsurf's has pages")
        return self

    def endpoint(self, connection: WindsurfConnection) -> RestDataset:
        """Returns the report of the connection's group: Cascade is asked by person, so its people are the group's."""
        declared = self.declaration
        if connection.group_name is None:
            return declared
        group = {"group_name": connection.group_name}
        if declared.parent is None:
            return declared.model_copy(update={"body": {**(declared.body or {}), **group}})
        parent = declared.parent.model_copy(update={"body": {**(declared.parent.body or {}), **group}})
        return declared.model_copy(update={"parent": parent})


class WindsurfSource(SourceSpec):
    """A Windsurf team's usage."""

    kind: Literal["windsurf"]
