"""How a collection is served: its records, and the style of the API around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from penstock.errors import ConfigurationError

Record = dict[str, Any] | bytes
RecordSource = Callable[[datetime | None, datetime | None], Iterable[Record]]

PagingStyle = Literal["none", "page", "offset", "cursor", "header_cursor", "keyset", "next_url", "link_header"]
Place = Literal["query", "body"]
AuthKind = Literal["none", "basic", "bearer", "api_key_header", "api_key_query", "oauth2"]

REST_USERNAME = "penstock"
REST_PASSWORD = "rest-sandbox-password"  # noqa: S105 - these open nothing but the sandbox
REST_TOKEN = "rest-sandbox-token"  # noqa: S105
REST_API_KEY = "rest-sandbox-key"
REST_CLIENT_ID = "penstock-client"
REST_CLIENT_SECRET = "rest-sandbox-secret"  # noqa: S105

_STYLES_WITH_BODY_POINTER = frozenset({"cursor", "next_url"})


@dataclass(frozen=True, kw_only=True)
class Paging:
    """How a collection is cut into pages, and how a page points to the next.

    Args:
        style: `page` and `offset` count; `cursor` and `next_url` point from the body, `header_cursor` and `link_header`
            from the headers; in `keyset` the client sends the last record's `key_column`; `none` gives all at once.
        size: Records on a page where the request names no size.
        largest_size: A larger size is lowered to this one, as most APIs do.
        place: Where requests carry page, offset, cursor and size.
        key_column: Field of a record that is the cursor in `keyset`.
        next_path: Dotted place of the cursor or URL in the body.
        last_page: What stands there on the last page: null, an empty text, or nothing at all.
        total_path: Dotted place of the number of records in the body; empty for none.
        more_path: Dotted place of whether more pages follow, a boolean; empty for none.
        pages_path: Dotted place of the number of pages in the body; empty for none.
        total_header: Header with the number of records; empty for none.
        relative_urls: Whether `next_url` leaves out scheme and host.
    """

    style: PagingStyle = "page"
    size: int = 100
    largest_size: int = 1_000
    place: Place = "query"
    page_name: str = "page"
    size_name: str = "per_page"
    offset_name: str = "offset"
    cursor_name: str = "cursor"
    cursor_header: str = "X-Next-Cursor"
    first_page: int = 1
    key_column: str = "id"
    next_path: str = "paging.next"
    more_path: str = ""
    last_page: Literal["null", "empty", "absent"] = "null"
    total_path: str = ""
    pages_path: str = ""
    total_header: str = ""
    relative_urls: bool = False


@dataclass(frozen=True, kw_only=True)
class TimeFilter:
    """How a request bounds records by time.

    Args:
        column: The record's time: ISO-8601, or a number of seconds or (from 1e11) milliseconds.
        start_name: Parameter of the lower bound, inclusive; dotted inside a body.
        end_name: Parameter of the upper bound.
        format: How both are written: `iso`, `date` (whole days of UTC), `epoch_seconds`, `epoch_milliseconds`, or a
            strptime pattern, in UTC where it has no offset.
        end_inclusive: Whether a record exactly at the end, or on the end's day, is served.
        place: Query string, or JSON body of a POST.
        required: Whether a request without a lower bound is a 400.
    """

    column: str = "updated_at"
    start_name: str = "updated_since"
    end_name: str = "updated_until"
    format: str = "iso"
    end_inclusive: bool = False
    place: Place = "query"
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Auth:
    """What a request must carry; the accepted values are the `REST_...` constants.

    Args:
        name: Header or query parameter of an API key.
        prefix: Scheme before the token in the Authorization header, for `bearer` and `oauth2`.
    """

    kind: AuthKind = "none"
    name: str = "X-Api-Key"
    prefix: str = "Bearer"


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """Requests that a collection accepts in a sliding window.

    Args:
        retry_after: How a 429 says how long to wait, if at all.
    """

    requests: int
    per_seconds: float = 1.0
    retry_after: Literal["none", "seconds", "http_date"] = "seconds"


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Records, and the style in which they are served.

    Args:
        records: Dictionaries, or JSON objects as bytes that are served as they are, or a function of the bounds that a
            request names (each an aware time or None) which gives either; its answer is not filtered by time again.
        record_path: Dotted place of the records in the body; empty where the body is the array itself.
        id_column: Names a record in `/rest/<collection>/<id>`.
        wrapper: What else stands in each body, such as `{"status": "ok"}`.
        empty_page: What stands at `record_path` on a page without records: an empty array, null, or nothing.
    """

    records: Iterable[Record] | RecordSource
    paging: Paging = field(default_factory=Paging)
    record_path: str = "data"
    time_filter: TimeFilter | None = None
    auth: Auth = field(default_factory=Auth)
    rate_limit: RateLimit | None = None
    id_column: str = "id"
    wrapper: dict[str, Any] = field(default_factory=dict)
    empty_page: Literal["array", "null", "absent"] = "array"

    def __post_init__(self) -> None:
        paging = self.paging
        paths = paging.total_path or paging.pages_path or paging.more_path
        points_from_body = paging.style in _STYLES_WITH_BODY_POINTER or paths
        if not self.record_path and (points_from_body or self.wrapper):
            raise ConfigurationError(
                "A body that is an array has no room for paging",
                guidance="Give a record_path, or page by headers.",
                style=paging.style,
            )
