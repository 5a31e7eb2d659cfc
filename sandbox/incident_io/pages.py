"""Lists as the API writes them: whole, or in pages whose cursor is the last record's id."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from starlette.responses import Response

from sandbox.context import PAGING_FAULT_KEY
from sandbox.faults import Fault
from sandbox.incident_io.problems import InvalidRequestError
from sandbox.schema_changes import change_record

if TYPE_CHECKING:
    from starlette.requests import Request

Json = dict[str, Any]

_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


class Listing(NamedTuple):
    """A list that is asked for, and how its records have changed their shape."""

    request: Request
    name: str
    changes: Sequence[Fault]

    def changed(self, record: Json) -> Json:
        """Returns a record in its present shape."""
        return change_record(record, self.changes) if self.changes else record


def write_whole(listing: Listing, records: Sequence[Json]) -> Response:
    """Returns a list that has no pages."""
    body = orjson.dumps({listing.name: [listing.changed(record) for record in records]})
    return Response(body, media_type="application/json")


def write_page(
    listing: Listing,
    keys: Sequence[str],
    read: Callable[[int], Json],
    *,
    size: int,
    states_total: bool,
    more: Json,
) -> Response:
    """Returns the page after the asked cursor.

    Args:
        listing: What is asked for.
        keys: The ids of all records, in order.
        read: Makes the record at a place.
        size: How many records the page holds at most.
        states_total: Whether it says how many there are in all.
        more: What else stands in the body.

    Raises:
        InvalidRequestError: The cursor is no id.
    """
    after = listing.request.query_params.get("after")
    start = 0 if after is None else _place_after(after, keys)
    places = range(start, min(start + size, len(keys)))
    records = [listing.changed(read(place)) for place in places]
    total = {"total_record_count": len(keys)} if states_total else {}
    meta = {"page_size": size, **total, **_next(listing.request, keys, places, after)}
    body = orjson.dumps({listing.name: records, "pagination_meta": meta, **more})
    return Response(body, media_type="application/json")


def _place_after(after: str, keys: Sequence[str]) -> int:
    """Returns where a list goes on after a record, which may have left it meanwhile: ids are in order of time."""
    if after in keys:
        return keys.index(after) + 1
    if not _ID.fullmatch(after):
        raise InvalidRequestError("after", "after is not an id")
    is_ascending = len(keys) > 0 and keys[0] <= keys[-1]
    return sum((key < after) if is_ascending else (key > after) for key in keys)


def _next(request: Request, keys: Sequence[str], places: range, after: str | None) -> dict[str, str]:
    """Returns the cursor of the next page; nothing on the last one."""
    fault = request.scope.get(PAGING_FAULT_KEY)
    if places.stop >= len(keys) or not places or fault == "missing_page_token":
        return {}
    return {"after": after if fault == "repeated_page_token" and after is not None else keys[places.stop - 1]}
