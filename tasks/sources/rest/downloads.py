"""Reports that an API gives as links: signed addresses of JSON-lines files, read at once and without credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from penstock.errors import DataError, RejectedError, TransientError
from tasks.sources.http.client import HttpClient
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.http.request import HttpRequest
from tasks.sources.rest.body import join_records, read_body
from tasks.sources.rest.page import Endpoint, Page

if TYPE_CHECKING:
    import httpx

_NO_CONTENT = 204


def read_downloads(client: HttpClient, endpoint: Endpoint, links_path: str) -> Iterator[Page]:
    """Yields each file that a report links to as a page; none where the API has no report (204).

    A signed address lives for minutes and gets no `Authorization`, which storage may refuse. Where one is refused,
    the report is asked for once more and its fresh address of the same file is read.

    Args:
        client: Asks for the report and its files.
        endpoint: The report.
        links_path: Where its body has the array of addresses.

    Raises:
        RejectedError: A fresh address was refused, too.
        TransientError: The report has another number of files by then.
    """
    links = _ask(client, endpoint, links_path)
    for number in range(len(links)):
        try:
            page = _download(client, links[number], endpoint)
        except RejectedError:
            fresh = _ask(client, endpoint, links_path)
            if len(fresh) != len(links):
                raise TransientError(
                    "the report changed while its files were read",
                    guidance="Run again: the report is asked for from the start.",
                    connection=client.connection_name,
                    report=endpoint.request.endpoint,
                ) from None
            links = fresh
            page = _download(client, links[number], endpoint)
        yield page


def _ask(client: HttpClient, endpoint: Endpoint, links_path: str) -> list[str]:
    return client.fetch(endpoint.request, lambda response: _read_links(response, links_path))


def _read_links(response: httpx.Response, links_path: str) -> list[str]:
    content = response.read()
    if response.status_code == _NO_CONTENT:
        return []
    body = read_body(content)
    found = body.records(links_path)
    if found is None:
        raise body.no_records(links_path)
    try:
        return [msgspec.json.decode(link, type=str) for link in found]
    except msgspec.MsgspecError:
        raise UnreadableBodyError(
            "the array of links holds something else than texts", guidance="Check the dataset's `download_links`."
        ) from None


def _download(client: HttpClient, link: str, endpoint: Endpoint) -> Page:
    if not link.startswith(("https://", "http://")):
        raise DataError(
            "a download link is no address",
            guidance="Check the dataset's `download_links`.",
            report=endpoint.request.url,
        )
    request = HttpRequest(link, f"{endpoint.request.endpoint} (file)", accept="*/*", is_signed=True)
    return client.fetch(request, _read_lines)


def _read_lines(response: httpx.Response) -> Page:
    """Reads a file of JSON lines as a page; empty lines and an empty file are nothing."""
    lines = [line for line in response.read().split(b"\n") if line.strip()]
    body = read_body(b"[%s]" % b",".join(lines))
    records = body.records("") or []
    return Page(
        url=response.request.url,
        headers=response.headers,
        links=(),
        body=body,
        records=records,
        lines=join_records(records) if records else b"",
        total=None,
    )
