"""Cuts a selection into pages and writes the pointers from one to the next, in every style."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import orjson

from sandbox.faults import Fault
from sandbox.rest.asked import Asked, BadQueryError
from sandbox.rest.collection import Collection, Paging
from sandbox.schema_changes import change_record

_CURSOR_PREFIX = "at:"


@dataclass(frozen=True)
class PageRequest:
    """Which slice is asked for: from an offset, or after the record with a key; `query` is kept for further URLs."""

    offset: int
    size: int
    url: str
    query: dict[str, str] = field(default_factory=dict)
    spoiled: str = ""
    after: str = ""


@dataclass
class Page:
    """A response: its body and the headers that paging adds."""

    body: bytes
    headers: dict[str, str]


def read_page(asked: Asked, paging: Paging, *, url: str, query: dict[str, str], spoiled: str = "") -> PageRequest:
    """Returns which slice a request asks for.

    `url` is the request's own without its query, `query` that query, `spoiled` the paging fault it meets, if any.

    Raises:
        BadQueryError: Page, size or cursor is malformed.
    """
    size = min(asked.number(paging.size_name, paging.place, default=paging.size), paging.largest_size)
    if size < 1:
        raise BadQueryError(f"{paging.size_name} must be at least 1")
    if paging.style == "keyset":
        after = asked.text(paging.cursor_name, paging.place) or ""
        return PageRequest(0, size, url, query, spoiled, after=after)
    return PageRequest(_read_offset(asked, paging, size), size, url, query, spoiled)


@dataclass
class _Draft:
    """A page while it is written: what goes into its body beside the records, by dotted place, and its headers."""

    paging: Paging
    wanted: PageRequest
    next_offset: int | None
    extras: dict[str, Any]
    headers: dict[str, str]


def write_page(
    records: Sequence[bytes], wanted: PageRequest, *, collection: Collection, changes: Sequence[Fault] = ()
) -> Page:
    """Returns one page of a selection, its records in the shape that schema changes give them.

    Raises:
        BadQueryError: No record has the key to go on from.
    """
    paging = collection.paging
    total = len(records)
    headers = {paging.total_header: str(total)} if paging.total_header else {}
    if paging.style == "none":
        return Page(_write_body(_reshape(records, changes), collection, {}), headers)
    if wanted.after:
        wanted = replace(wanted, offset=_offset_after(records, wanted.after, paging.key_column))
    next_offset = _next_offset(wanted, total)
    pages = -(-total // wanted.size)
    stated = {paging.total_path: total, paging.pages_path: pages, paging.more_path: next_offset is not None}
    extras: dict[str, Any] = {path: value for path, value in stated.items() if path}
    _POINTERS[paging.style](_Draft(paging, wanted, next_offset, extras, headers))
    shown = records[wanted.offset : wanted.offset + wanted.size]
    return Page(_write_body(_reshape(shown, changes), collection, extras), headers)


def write_cursor(offset: int) -> str:
    """Returns an opaque cursor."""
    return base64.urlsafe_b64encode(f"{_CURSOR_PREFIX}{offset}".encode()).decode("ascii").rstrip("=")


def read_cursor(cursor: str) -> int:
    """Returns the offset in a cursor.

    Raises:
        BadQueryError: It was not written here.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as error:
        raise BadQueryError("the cursor is invalid") from error
    number = text.removeprefix(_CURSOR_PREFIX)
    if number == text or not number.isdecimal():
        raise BadQueryError("the cursor is invalid")
    return int(number)


def _read_offset(asked: Asked, paging: Paging, size: int) -> int:
    if paging.style == "none":
        return 0
    if paging.style == "offset":
        return asked.number(paging.offset_name, paging.place, default=0)
    if paging.style in {"page", "link_header"}:
        page = asked.number(paging.page_name, paging.place, default=paging.first_page)
        if page < paging.first_page:
            raise BadQueryError(f"{paging.page_name} starts at {paging.first_page}")
        return (page - paging.first_page) * size
    cursor = asked.text(paging.cursor_name, paging.place)
    return read_cursor(cursor) if cursor else 0


def _next_offset(wanted: PageRequest, total: int) -> int | None:
    end = wanted.offset + wanted.size
    if end >= total or wanted.spoiled == "missing_page_token":
        return None
    return wanted.offset if wanted.spoiled == "repeated_page_token" else end


def _offset_after(records: Sequence[bytes], key: str, column: str) -> int:
    for place, record in enumerate(records):
        if str(orjson.loads(record).get(column)) == key:
            return place + 1
    raise BadQueryError("no record has the key to go on from")


def _point_nowhere(_draft: _Draft) -> None:
    """The client counts pages or offsets itself, or knows the last record."""


def _point_by_cursor(draft: _Draft) -> None:
    _put_pointer(draft, None if draft.next_offset is None else write_cursor(draft.next_offset))


def _point_by_header(draft: _Draft) -> None:
    if draft.next_offset is not None:
        draft.headers[draft.paging.cursor_header] = write_cursor(draft.next_offset)


def _point_by_url(draft: _Draft) -> None:
    if draft.next_offset is None:
        _put_pointer(draft, None)
        return
    url = draft.wanted.url
    base = "/" + url.split("/", 3)[3] if draft.paging.relative_urls else url
    _put_pointer(draft, f"{base}?{_write_query(draft, draft.paging.cursor_name, write_cursor(draft.next_offset))}")


def _point_by_link(draft: _Draft) -> None:
    first, size = draft.paging.first_page, draft.wanted.size
    pages = {"first": first}
    if draft.next_offset is not None:
        pages["next"] = draft.next_offset // size + first
    draft.headers["Link"] = ", ".join(
        f'<{draft.wanted.url}?{_write_query(draft, draft.paging.page_name, str(page))}>; rel="{relation}"'
        for relation, page in pages.items()
    )


def _write_query(draft: _Draft, name: str, value: str) -> str:
    return urlencode({**draft.wanted.query, draft.paging.size_name: str(draft.wanted.size), name: value})


_POINTERS: dict[str, Callable[[_Draft], None]] = {
    "page": _point_nowhere,
    "offset": _point_nowhere,
    "cursor": _point_by_cursor,
    "header_cursor": _point_by_header,
    "keyset": _point_nowhere,
    "next_url": _point_by_url,
    "link_header": _point_by_link,
}


def _put_pointer(draft: _Draft, pointer: str | None) -> None:
    paging = draft.paging
    if pointer is not None:
        draft.extras[paging.next_path] = pointer
    elif paging.last_page != "absent":
        draft.extras[paging.next_path] = None if paging.last_page == "null" else ""


def _reshape(records: Sequence[bytes], changes: Sequence[Fault]) -> Sequence[bytes]:
    if not changes:
        return records
    return [orjson.dumps(change_record(orjson.loads(record), changes)) for record in records]


def _write_body(records: Sequence[bytes], collection: Collection, extras: dict[str, Any]) -> bytes:
    # One join, whatever the records hold: a page of 1,000 costs no parsing and no encoding.
    array = b"null" if collection.empty_page == "null" and not records else b"[" + b",".join(records) + b"]"
    if not collection.record_path:
        return array
    body: dict[str, Any] = {}
    for path, value in {**collection.wrapper, **extras}.items():
        _put(body, path.split("."), value)
    if records or collection.empty_page != "absent":
        _put(body, collection.record_path.split("."), orjson.Fragment(array))
    return orjson.dumps(body)


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        body = body.setdefault(part, {})
    body[path[-1]] = value
