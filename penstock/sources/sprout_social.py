"""A Sprout Social source's pipeline file. Facts: api.sproutsocial.com/docs (API v1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from penstock.findings import Finding
from penstock.sources.base import DatasetSpec, SourceSpec, SourceTraits
from penstock.sources.traits import WHOLE, WINDOWED
from penstock.window import TimeWindow

Endpoint = Literal[
    "clients",
    "profiles",
    "groups",
    "tags",
    "users",
    "teams",
    "topics",
    "queues",
    "profile_analytics",
    "post_analytics",
    "messages",
    "cases",
]
REPORTS = frozenset({"profile_analytics", "post_analytics", "messages", "cases"})
"""Endpoints that are asked for a time; the others are lists that come whole."""

_OPTIONS: dict[str, frozenset[str]] = {
    "profiles": frozenset({"profile_analytics", "post_analytics", "messages"}),
    "networks": frozenset({"profile_analytics", "post_analytics", "messages"}),
    "metrics": frozenset({"profile_analytics", "post_analytics"}),
    "fields": frozenset({"post_analytics", "messages"}),
    "filters": REPORTS,
    "by": frozenset({"cases"}),
}


class SproutSocialDataset(DatasetSpec):
    """A list of the customer's, the days of its profiles, its posts, its messages or its cases."""

    endpoint: Endpoint
    profiles: tuple[int, ...] = Field(
        default=(), description="Only these `customer_profile_id`s; all of the customer's if empty."
    )
    networks: tuple[str, ...] = Field(
        default=(), description="Only profiles of these networks, such as `instagram`; all if empty."
    )
    metrics: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="By network, such as `instagram`: what is asked instead of the default list."
    )
    fields: tuple[str, ...] = Field(
        default=(), description="Fields of posts or messages instead of the default ones; keys and times always come."
    )
    filters: tuple[str, ...] = Field(
        default=(), description="More conditions in Sprout's words, such as `internal.tags.id.eq(5)`."
    )
    by: Literal["created_time", "updated_time"] = Field(
        default="updated_time", description="Which time of a case the window is about."
    )
    page_size: int | None = Field(
        default=None, ge=1, le=1000, description="Rows of a page; the endpoint's most if unset."
    )
    profiles_per_request: int = Field(default=100, ge=1, le=100, description="Sprout takes at most 100.")
    row_cap: int = Field(default=10_000, ge=1, description="Where Sprout cuts a query off without saying so.")

    @model_validator(mode="after")
    def _has_only_options_of_its_endpoint(self) -> SproutSocialDataset:
        foreign = [name for name in _OPTIONS if name in self.model_fields_set and self.endpoint not in _OPTIONS[name]]
        if foreign:
            raise ValueError(f"`{foreign[0]}` is no option of `endpoint: {self.endpoint}`")
        if any(not metrics for metrics in self.metrics.values()):
            raise ValueError("`metrics` has a network without any; leave the network out for its default list")
        return self


class SproutSocialSource(SourceSpec):
    """A Sprout Social customer."""

    kind: Literal["sprout_social"]


def sprout_social_traits(dataset: DatasetSpec) -> SourceTraits:
    """Returns a dataset's traits: reports are about a time, a list is always whole."""
    return WHOLE if isinstance(dataset, SproutSocialDataset) and dataset.endpoint not in REPORTS else WINDOWED


def check_sprout_social_dataset(dataset: DatasetSpec, window: TimeWindow) -> Iterator[Finding]:
    """Yields what Sprout would refuse, before it is asked."""
    if not isinstance(dataset, SproutSocialDataset) or dataset.endpoint not in REPORTS:
        return
    if window.kind == "full":
        yield Finding(
            ("endpoint",),
            f"`{dataset.endpoint}` needs a start and an end, and the window is `full`",
            "Give the dataset a window with bounds, such as {kind: daily}.",
        )
    elif dataset.endpoint == "profile_analytics" and window.kind not in {"daily", "interval"}:
        yield Finding(
            ("window",),
            f"`profile_analytics` has whole days only, and a `{window.kind}` window seldom begins and ends at midnight",
            "Use a `daily` window, which may be read again during the day with `days`.",
            is_error=False,
        )
