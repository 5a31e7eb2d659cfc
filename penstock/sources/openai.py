"""An OpenAI source's pipeline file, and what its organisation API offers.

Facts: platform.openai.com, usage and costs reference. Amounts are dollars; days are UTC's; recent buckets are restated
for a day or two. `input_tokens` includes the cached ones.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from penstock.connections.openai import OpenAIConnection
from penstock.sources.base import SourceSpec
from penstock.sources.declared import BucketedDataset, Catalogue, declare

Grouping = Literal[
    "api_key_id",
    "batch",
    "context_level",
    "line_item",
    "model",
    "project_id",
    "service_tier",
    "size",
    "source",
    "user_id",
    "vector_store_id",
]
_WHO = ("project_id", "user_id", "api_key_id", "model")


def _buckets(path: str, *group_by: str, most: int = 31) -> dict[str, Any]:
    return {
        "path": f"/organization/{path}",
        "parameters": {"bucket_width": "1d", "group_by": group_by},
        "records": "data",
        # Early examples have the singular.
        "rows": ("results", "result"),
        "bucket": {"kind": "envelope", "start": "start_time", "end": "end_time"},
        "paging": {
            "kind": "cursor",
            "parameter": "page",
            "path": "next_page",
            "more_path": "has_more",
            "size_parameter": "limit",
            "size": most,
        },
        "window_parameters": {
            "start": "start_time",
            "end": "end_time",
            "format": "epoch",
            "timezone": "UTC",
            "granularity": "day",
        },
    }


def _list(path: str, **parameters: str | bool) -> dict[str, Any]:
    return {
        "path": f"/organization/{path}",
        "parameters": parameters,
        "records": "data",
        "paging": {
            "kind": "cursor",
            "parameter": "after",
            "path": "last_id",
            "more_path": "has_more",
            "size_parameter": "limit",
            "size": 100,
        },
    }


# The reference also lists `api_key_id` for costs, and a connector saw it refused.
OPENAI_REPORTS = declare(
    completions=_buckets("usage/completions", *_WHO, "batch", "service_tier"),
    embeddings=_buckets("usage/embeddings", *_WHO),
    moderations=_buckets("usage/moderations", *_WHO),
    images=_buckets("usage/images", *_WHO, "size", "source"),
    audio_speeches=_buckets("usage/audio_speeches", *_WHO),
    audio_transcriptions=_buckets("usage/audio_transcriptions", *_WHO),
    vector_stores=_buckets("usage/vector_stores", "project_id"),
    code_interpreter_sessions=_buckets("usage/code_interpreter_sessions", "project_id"),
    web_search_calls=_buckets("usage/web_search_calls", *_WHO, "context_level"),
    file_search_calls=_buckets("usage/file_search_calls", "project_id", "user_id", "api_key_id", "vector_store_id"),
    costs=_buckets("costs", "project_id", "line_item", most=180),
    users=_list("users"),
    projects=_list("projects", include_archived="true"),
    project_api_keys={
        **_list("projects/{project_id}/api_keys"),
        "parent": {
            **_list("projects", include_archived="true"),
            "field": "id",
            "name": "project_id",
            "gone": "skip",
        },
    },
)


class OpenAIDataset(BucketedDataset[OpenAIConnection]):
    """One usage report, the costs, or a list of an organisation."""

    catalogue: ClassVar[Catalogue] = OPENAI_REPORTS
    only_days: ClassVar[frozenset[str]] = frozenset({"costs"})

    report: Literal[
        "completions",
        "embeddings",
        "moderations",
        "images",
        "audio_speeches",
        "audio_transcriptions",
        "vector_stores",
        "code_interpreter_sessions",
        "web_search_calls",
        "file_search_calls",
        "costs",
        "users",
        "projects",
        "project_api_keys",
    ]
    group_by: tuple[Grouping, ...] | None = None


class OpenAISource(SourceSpec):
    """An OpenAI organisation's usage and costs."""

    kind: Literal["openai"]
