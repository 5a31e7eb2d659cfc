"""An Anthropic source's pipeline file, and what its Admin API offers.

Facts: platform.claude.com, "Usage and Cost API" and "Claude Code Analytics API". Amounts are cents (`amount` of a cost
is a decimal text of cents); days are UTC's; usage is there after about 5 minutes, Claude Code's within an hour.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from penstock.connections.anthropic import AnthropicConnection
from penstock.sources.base import SourceSpec
from penstock.sources.declared import BucketedDataset, Catalogue, declare

Grouping = Literal[
    "account_id",
    "api_key_id",
    "context_window",
    "description",
    "inference_geo",
    "model",
    "service_account_id",
    "service_tier",
    "workspace_id",
]


def _buckets(path: str, *group_by: str) -> dict[str, Any]:
    return {
        "path": f"/v1/organizations/{path}",
        "parameters": {"bucket_width": "1d", "group_by[]": group_by},
        "records": "data",
        "rows": "results",
        "bucket": {"kind": "envelope", "start": "starting_at", "end": "ending_at"},
        "paging": {
            "kind": "cursor",
            "parameter": "page",
            "path": "next_page",
            "more_path": "has_more",
            "size_parameter": "limit",
            "size": 31,
        },
        "window_parameters": {
            "start": "starting_at",
            "end": "ending_at",
            "format": "%Y-%m-%dT%H:%M:%SZ",
            "granularity": "day",
        },
    }


def _list(path: str) -> dict[str, Any]:
    return {
        "path": f"/v1/organizations/{path}",
        "records": "data",
        "paging": {
            "kind": "cursor",
            "parameter": "after_id",
            "path": "last_id",
            "more_path": "has_more",
            "size_parameter": "limit",
            "size": 100,
        },
    }


_CLAUDE_CODE = {
    "path": "/v1/organizations/usage_report/claude_code",
    "records": "data",
    "bucket": {"kind": "row", "time": "date"},
    "paging": {
        "kind": "cursor",
        "parameter": "page",
        "path": "next_page",
        "more_path": "has_more",
        "size_parameter": "limit",
        "size": 1000,
    },
    # One day a request: there is no end to ask for.
    "window_parameters": {"start": "starting_at", "format": "date", "timezone": "UTC", "longest": "1d"},
}

# `description` fills model, token type and tier of a cost; no cost is told by key.
ANTHROPIC_REPORTS = declare(
    usage=_buckets(
        "usage_report/messages",
        "api_key_id",
        "context_window",
        "inference_geo",
        "model",
        "service_tier",
        "workspace_id",
    ),
    costs=_buckets("cost_report", "workspace_id", "description"),
    claude_code=_CLAUDE_CODE,
    api_keys=_list("api_keys"),
    workspaces=_list("workspaces"),
    users=_list("users"),
)


class AnthropicDataset(BucketedDataset[AnthropicConnection]):
    """One report or list of the Admin API."""

    catalogue: ClassVar[Catalogue] = ANTHROPIC_REPORTS
    group_parameter: ClassVar[str] = "group_by[]"
    only_days: ClassVar[frozenset[str]] = frozenset({"costs"})

    report: Literal["usage", "costs", "claude_code", "api_keys", "workspaces", "users"]
    group_by: tuple[Grouping, ...] | None = None


class AnthropicSource(SourceSpec):
    """An Anthropic organisation's usage and cost."""

    kind: Literal["anthropic"]
