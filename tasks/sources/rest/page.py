"""One page of an endpoint: what it takes to ask for it, and how the answer is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from penstock.sources.rest import NextUrlPaging, Paging
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.http.request import HttpRequest
from tasks.sources.rest.body import JsonBody, Raw, carry_fields, join_records, read_body
from tasks.sources.rest.narrowing import Within

if TYPE_CHECKING:
    import httpx

_NO_CONTENT = 204


class Endpoint(NamedTuple):
    """What to ask and how to read it; a dataset's own endpoint or its parent's.

    Args:
        request: The first page's request, without what paging adds.
        records: Where the body has its array of records, or its only one.
        is_single: Whether that is one object instead of an array.
        absent_is_empty: Whether a body without that array is an empty page.
        total: Where the body states how many records there are in all.
        total_header: Or which response header does.
        total_is_optional: Whether an answer may leave it out.
        within: Which of the records belong to the interval, where the API gives more.
        carried: What each record carries besides, as JSON by the field's name.
    """

    request: HttpRequest
    records: str
    paging: Paging
    is_single: bool = False
    absent_is_empty: bool = False
    total: str | None = None
    total_header: str | None = None
    total_is_optional: bool = False
    within: Within | None = None
    carried: Mapping[str, bytes] = {}
    concurrency: int = 1
    max_pages: int = 1_000_000


class Step(NamedTuple):
    """What a request for a page has that the endpoint's own has not: values to add, or an address instead of its."""

    values: Mapping[str, Any] = {}
    location: str = "query"
    url: str | None = None


class Page(NamedTuple):
    """A page that was read whole.

    Args:
        lines: The records as JSON lines, without a line break after the last.
        total: How many records the API says there are in all, where it does.
    """

    url: httpx.URL
    headers: Mapping[str, str]
    links: tuple[str, ...]
    body: JsonBody | None
    records: list[Raw]
    lines: bytes
    total: int | None

    @property
    def was_mended(self) -> bool:
        """Whether text that no reader takes was replaced (`JsonBody.was_mended`)."""
        return self.body is not None and self.body.was_mended


def read_page(response: httpx.Response, endpoint: Endpoint) -> Page:
    """Reads an answer as a page of an endpoint.

    Raises:
        UnreadableBodyError: The body is not JSON, or has no array of objects where the endpoint's should be.
    """
    content = response.read()
    body = None if response.status_code == _NO_CONTENT else read_body(content)
    records = _records(body, endpoint) if body is not None else []
    if body is not None:
        _check_next_address(body, endpoint.paging)
        if records is None and not endpoint.absent_is_empty:
            raise body.no_records(endpoint.records)
    records = records or []
    return Page(
        url=response.request.url,
        headers=response.headers,
        links=tuple(response.headers.get_list("link")),
        body=body,
        records=records,
        lines=join_records(records) if records else b"",
        total=_stated_total(endpoint, body, response.headers),
    )


def _records(body: JsonBody, endpoint: Endpoint) -> list[Raw] | None:
    return body.record(endpoint.records) if endpoint.is_single else body.records(endpoint.records)


def bronze_lines(page: Page, endpoint: Endpoint) -> Page:
    """Returns a page with what becomes rows: the interval's records, each with what it carries."""
    if endpoint.within is None and not endpoint.carried:
        return page
    records = page.records if endpoint.within is None else endpoint.within.of(page.records)
    carrying = [carry_fields(record, endpoint.carried) for record in records]
    return page._replace(records=records, lines=join_records(carrying) if carrying else b"")


def _check_next_address(body: JsonBody, paging: Paging) -> None:
    """Checks that a body has an address, or nothing, where the next page's should be."""
    if not isinstance(paging, NextUrlPaging):
        return
    address = body.value(paging.path)
    if not address or (isinstance(address, str) and _is_address(address)):
        return
    raise UnreadableBodyError(
        "the body has something else than an address where the next page's should be",
        guidance="Check the paging's `path`; a cursor, which is no address, takes the paging `kind: cursor`.",
        path=paging.path,
        found=body.found(paging.path),
    )


def _is_address(text: str) -> bool:
    import httpx

    try:
        httpx.URL(text)
    except httpx.InvalidURL:
        return False
    return not any(character.isspace() for character in text)


def _stated_total(endpoint: Endpoint, body: JsonBody | None, headers: Mapping[str, str]) -> int | None:
    stated = None
    if endpoint.total is not None and body is not None:
        stated = body.value(endpoint.total)
    elif endpoint.total_header is not None:
        stated = headers.get(endpoint.total_header)
    return as_count(stated)


def as_count(stated: object) -> int | None:
    """Returns a number of things that an API stated, as a number or as digits; None where it stated none."""
    if isinstance(stated, bool) or stated is None:
        return None
    try:
        return int(str(stated))
    except ValueError:
        return None
