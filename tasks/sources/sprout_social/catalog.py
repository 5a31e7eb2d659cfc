"""Sprout's endpoints as data. Facts: api.sproutsocial.com/docs (API v1), and where noted what connectors had to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal, NamedTuple

from penstock.sources.rest import CursorPaging, PageNumberPaging, Paging
from penstock.sources.sprout_social_metrics import POST_METRICS, PROFILE_METRICS

LISTS: Mapping[str, str] = {
    "profiles": "/metadata/customer",
    "groups": "/metadata/customer/groups",
    "tags": "/metadata/customer/tags",
    "users": "/metadata/customer/users",
    "teams": "/metadata/customer/teams",
    "topics": "/metadata/customer/topics",
    "queues": "/metadata/customer/queues",
}
"""Paths, below the customer's, of what comes whole without pages."""

Scope = Literal["networks", "groups", "customer"]


class Report(NamedTuple):
    """An endpoint that is asked for a time by a POST with filters.

    Args:
        path: Below the customer's.
        scope: What a request is about: profiles of one network (whose metrics differ), profiles of one group (which
            messages ask for), or all of the customer.
        time_field: The field that the interval is about; None where the dataset says it.
        by_day: Whether that field holds days instead of times.
        longest: The longest span of one request.
        page_size: The most rows of a page.
        is_numbered: Whether pages are numbered (and their number stated) or lead by a cursor.
        metrics: What is asked by default, by network.
        fields: What is asked by default; without any, only ids come back.
        key_fields: What is asked whatever the dataset says.
    """

    path: str
    scope: Scope
    time_field: str | None
    page_size: int
    is_numbered: bool
    by_day: bool = False
    longest: timedelta | None = None
    metrics: Mapping[str, tuple[str, ...]] = {}
    fields: tuple[str, ...] = ()
    key_fields: tuple[str, ...] = ()

    def paging(self, size: int | None) -> Paging:
        """Returns how pages follow; a page's number, its size and the cursor are fields of the body."""
        rows = min(size or self.page_size, self.page_size)
        if self.is_numbered:
            return PageNumberPaging(
                kind="page_number",
                location="body",
                size_parameter="limit",
                size=rows,
                pages_path="paging.total_pages",
            )
        return CursorPaging(
            kind="cursor",
            parameter="page_cursor",
            location="body",
            path="paging.next_cursor",
            size_parameter="limit",
            size=rows,
        )


_KEYS = ("guid", "created_time", "customer_profile_id")
_SHARED_FIELDS = (*_KEYS, "network", "post_category", "post_type", "content_category", "perma_link", "text", "from")

REPORTS: Mapping[str, Report] = {
    "profile_analytics": Report(
        path="/analytics/profiles",
        scope="networks",
        time_field="reporting_period",
        by_day=True,
        longest=timedelta(days=365),
        page_size=1000,
        is_numbered=True,
        metrics=PROFILE_METRICS,
    ),
    "post_analytics": Report(
        path="/analytics/posts",
        scope="networks",
        time_field="created_time",
        # The reference states a default of 50 and no most; 100 is what several connectors send.
        page_size=100,
        is_numbered=True,
        metrics=POST_METRICS,
        fields=(
            *_SHARED_FIELDS,
            *("internal.tags.id", "internal.sent_by.id", "internal.sent_by.email"),
            *("internal.sent_by.first_name", "internal.sent_by.last_name"),
        ),
        key_fields=_KEYS,
    ),
    "messages": Report(
        path="/messages",
        scope="groups",
        time_field="created_time",
        page_size=100,
        is_numbered=False,
        fields=(
            *_SHARED_FIELDS,
            *("profile_guid", "language_code", "case_id", "publishing_post_id"),
            *("internal.tags.id", "internal.sent_by.id"),
        ),
        key_fields=_KEYS,
    ),
    "cases": Report(
        path="/cases/filter",
        scope="customer",
        time_field=None,
        longest=timedelta(days=7),
        page_size=100,
        is_numbered=False,
    ),
}
"""What is asked for a time, by the dataset's `endpoint`."""
