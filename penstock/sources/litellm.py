"""A LiteLLM source's pipeline file, and what a gateway offers.

Facts: the proxy's source (github.com/BerriAI/litellm). Spend is in dollars; days are UTC's; requests are logged in
batches, minutes later. Pages of daily activity cut the rows underneath, so that one date may come on two pages, each
with a part: add them up.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from penstock.connections.litellm import LiteLLMConnection
from penstock.sources.base import SourceSpec
from penstock.sources.declared import Catalogue, DeclaredDataset, declare
from penstock.sources.rest import RestDataset


def _activity(path: str) -> dict[str, Any]:
    return {
        "path": path,
        "records": "results",
        "bucket": {"kind": "row", "time": "date"},
        "paging": {
            "kind": "page_number",
            "size_parameter": "page_size",
            "size": 1000,
            "pages_path": "metadata.total_pages",
        },
        "window_parameters": {
            "start": "start_date",
            "end": "end_date",
            "format": "date",
            "end_inclusive": True,
            "timezone": "UTC",
            "longest": "30d",
        },
    }


LITELLM_REPORTS = declare(
    daily_activity=_activity("/user/daily/activity"),
    team_daily_activity=_activity("/team/daily/activity"),
    tag_daily_activity=_activity("/tag/daily/activity"),
    # Totals stop at 10,000: pages end where one is short, and an hour is asked for at a time.
    spend_logs={
        "path": "/spend/logs/v2",
        "parameters": {"sort_by": "startTime", "sort_order": "asc"},
        "records": "data",
        "bucket": {"kind": "row", "time": "startTime"},
        "paging": {"kind": "page_number", "size_parameter": "page_size", "size": 100},
        "window_parameters": {
            "start": "start_date",
            "end": "end_date",
            "format": "%Y-%m-%d %H:%M:%S",
            "timezone": "UTC",
            "longest": "1h",
        },
    },
    users={
        "path": "/user/list",
        "records": "users",
        "paging": {"kind": "page_number", "size_parameter": "page_size", "size": 100, "pages_path": "total_pages"},
    },
    keys={
        "path": "/key/list",
        "parameters": {"return_full_object": "true"},
        "records": "keys",
        "paging": {"kind": "page_number", "size_parameter": "size", "size": 100, "pages_path": "total_pages"},
    },
    teams={"path": "/team/list"},
)
_FILTERS = {"team_daily_activity": "team_ids", "tag_daily_activity": "tags"}


class LiteLLMDataset(DeclaredDataset[LiteLLMConnection]):
    """One report or list of a gateway."""

    catalogue: ClassVar[Catalogue] = LITELLM_REPORTS

    report: Literal[
        "daily_activity", "team_daily_activity", "tag_daily_activity", "spend_logs", "users", "keys", "teams"
    ]
    only: tuple[str, ...] = Field(default=(), description="Teams or tags of a daily activity; all if empty.")

    @model_validator(mode="after")
    def _can_be_narrowed(self) -> Self:
        if self.only and self.report not in _FILTERS:
            raise ValueError("`only` narrows `team_daily_activity` and `tag_daily_activity`")
        return self

    def endpoint(self, connection: LiteLLMConnection) -> RestDataset:
        """Returns the report, narrowed where the dataset says; names are joined by commas."""
        endpoint = super().endpoint(connection)
        narrowed = {_FILTERS[self.report]: ",".join(self.only)} if self.only else {}
        return endpoint.model_copy(update={"parameters": {**endpoint.parameters, **narrowed}})


class LiteLLMSource(SourceSpec):
    """A LiteLLM gateway's usage and spend."""

    kind: Literal["litellm"]
