"""Walks over an endpoint's pages: every page once, in order, counted against what the API states."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from typing import Any

from penstock.errors import ConfigurationError, DataError, TransientError
from penstock.findings import nearest
from penstock.sources.rest import CursorPaging
from tasks.sources.http.client import HttpClient
from tasks.sources.http.request import HttpRequest
from tasks.sources.rest.ending import check_only_page
from tasks.sources.rest.numbered import NumberedPages
from tasks.sources.rest.page import Endpoint, Page, Step, read_page
from tasks.sources.rest.paging import Pager, pager_of


def walk(client: HttpClient, endpoint: Endpoint, warn: Callable[[str], None] | None = None) -> Iterator[Page]:
    """Yields an endpoint's pages in order, the last one included.

    Args:
        client: Asks for them.
        endpoint: What to ask for.
        warn: Takes what a person should look at (`tasks.sources.rest.ending`).

    Raises:
        DataError: Paging goes in a circle, contradicts itself, looks for the next page in the wrong place, or passes
            `max_pages`; or the records that came are not as many as the API states.
        TransientError: The stated number moved during the walk and the records do not fit the newest one.
    """
    tally = _Tally(endpoint)
    try:
        for page in _pages(client, endpoint, pager_of(endpoint.paging)):
            tally.count(page)
            yield page
        doubt = tally.reconcile()
        if doubt is not None and warn is not None:
            warn(doubt)
    except (DataError, TransientError) as error:
        error.facts = {"connection": client.connection_name, "endpoint": endpoint.request.endpoint, **error.facts}
        raise


def request_for(endpoint: Endpoint, step: Step) -> HttpRequest:
    """Returns the request for a page."""
    request = endpoint.request
    if step.url is not None:
        return replace(request, url=step.url, parameters={})
    if not step.values:
        return request
    if step.location == "body":
        return replace(request, body=with_values(request.body, step.values))
    return replace(request, parameters={**request.parameters, **step.values})


def with_values(body: Mapping[str, Any] | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a request's body with values put in at dotted paths; the body that was given stays as it is.

    A number in a path is a place in a list that the body has: `filters.0.value`.

    Raises:
        ConfigurationError: A path leads through something else, or to a place that the list does not have.
    """
    filled = deepcopy(dict(body or {}))
    for path, value in values.items():
        level: Any = filled
        *parents, key = path.split(".")
        try:
            for parent in parents:
                level = level[int(parent)] if isinstance(level, list) else _level_below(level, parent)
            level[int(key) if isinstance(level, list) else key] = value
        except (ValueError, IndexError, TypeError, AttributeError):
            raise ConfigurationError(
                "a dotted path does not fit the request's body",
                guidance="Compare it with the dataset's `body`: numbers are places in its lists.",
                path=path,
            ) from None
    return filled


def _level_below(level: dict[str, Any], key: str) -> Any:
    if level.get(key) is None:
        level[key] = {}
    return level[key]


def _pages(client: HttpClient, endpoint: Endpoint, pager: Pager) -> Iterator[Page]:
    step: Step | None = pager.first()
    while step is not None:
        page = _fetch(client, endpoint, step)
        yield page
        step = pager.following(page)
        if (
            step is not None
            and endpoint.concurrency > 1
            and isinstance(pager, NumberedPages)
            and pager.can_skip_ahead()
        ):
            yield from _pages_ahead(client, endpoint, pager)
            return


def _pages_ahead(client: HttpClient, endpoint: Endpoint, pager: NumberedPages) -> Iterator[Page]:
    """Yields the numbered pages after those that were read, in order, while later ones are being asked for.

    The first page was asked alone: it says whether the API keeps to the asked size (offsets into pages of another size
    would skip records), and often where the end is. Without a stated end some requests go beyond it; what they bring
    is not looked at.
    """
    asked = pager.page_count
    pending: deque[Future[Page]] = deque()
    with ThreadPoolExecutor(endpoint.concurrency, thread_name_prefix="penstock-pages") as pool:
        try:
            has_more = True
            while has_more:
                end = pager.known_pages()
                while not pending or (len(pending) < endpoint.concurrency and (end is None or asked < end)):
                    pending.append(pool.submit(_fetch, client, endpoint, pager.step_to(asked)))
                    asked += 1
                page = pending.popleft().result()
                yield page
                has_more = pager.has_more_after(page)
                if has_more and not pager.can_skip_ahead():
                    raise DataError(
                        "a page in the middle has fewer records than were asked for",
                        guidance="Set `concurrency: 1`: offsets then follow the records that came.",
                    )
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _fetch(client: HttpClient, endpoint: Endpoint, step: Step) -> Page:
    return client.fetch(request_for(endpoint, step), lambda response: read_page(response, endpoint))


class _Tally:
    """Counts a walk's pages and records."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._pages = 0
        self._rows = 0
        self._newest_lines = b""
        self._only_page: Page | None = None
        self._numbers: list[str] = []
        self._totals: set[int] = set()
        self._newest_total: int | None = None

    def count(self, page: Page) -> None:
        self._pages += 1
        self._only_page = page if self._pages == 1 else None
        if self._pages == 1 and page.body is not None and self._endpoint.total is not None:
            self._numbers = [path for path, value in page.body.scalars() if type(value) is int]
        self._rows += len(page.records)
        if page.total is not None:
            self._totals.add(page.total)
            self._newest_total = page.total
        if self._pages > self._endpoint.max_pages:
            raise DataError(
                "there are more pages than allowed",
                guidance="Raise the dataset's `max_pages` if that many are right.",
                **self._facts(),
            )
        if page.lines and page.lines == self._newest_lines:
            raise DataError(
                "the API gave the same page twice",
                guidance="Check the names in the dataset's `paging`: the API may not know the parameter, or may repeat "
                "its last page, in which case `total` or `pages_path` says where the end is.",
                **self._facts(),
            )
        self._newest_lines = page.lines

    def reconcile(self) -> str | None:
        """Checks the end of the walk; returns what it leaves open."""
        if self._endpoint.total is not None or self._endpoint.total_header is not None:
            self._compare_with_total()
        return check_only_page(self._only_page, self._endpoint) if self._only_page is not None else None

    def _compare_with_total(self) -> None:
        if self._newest_total is None and self._endpoint.total_is_optional:
            return
        if self._newest_total is None:
            close = nearest(self._endpoint.total or "", self._numbers)
            raise DataError(
                "the API did not state how many records there are",
                guidance=f"Did you mean `total: {close}`?"
                if close
                else "Check the dataset's `total` or `total_header`.",
                numbers=", ".join(self._numbers[:5]) or None,
                **self._facts(),
            )
        has_moved = len(self._totals) > 1
        # Pages by number give one record twice, or never, where another came or went before their place: the numbers
        # add up then. A cursor stays at its record.
        is_by_place = not isinstance(self._endpoint.paging, CursorPaging)
        if self._rows == self._newest_total and not (has_moved and is_by_place):
            return
        if has_moved:
            raise TransientError(
                "the source changed while its pages were read",
                guidance="Read them again: run once more where no try is left. If records come all the time, ask for "
                "a window that has ended, or page by cursor.",
                **self._facts(),
            )
        raise DataError(
            "not as many records came as the API states",
            guidance="Compare the dataset's `total` and `paging` with the API's documentation.",
            **self._facts(),
        )

    def _facts(self) -> dict[str, Any]:
        return {"pages": self._pages, "rows": self._rows, "total": self._newest_total}
