"""How one page leads to the next. A pager lives for one walk over an endpoint's pages."""

from __future__ import annotations

from typing import Any, Protocol

from penstock.errors import DataError
from penstock.sources.rest import (
    CursorPaging,
    LinkHeaderPaging,
    NextUrlPaging,
    OffsetPaging,
    PageNumberPaging,
    Paging,
)
from tasks.sources.rest.body import field_of
from tasks.sources.rest.links import next_link
from tasks.sources.rest.numbered import NumberedPages
from tasks.sources.rest.page import Page, Step


class Pager(Protocol):
    """Decides which page follows."""

    def first(self) -> Step:
        """Returns the step to the first page."""

    def following(self, page: Page) -> Step | None:
        """Returns the step to the page after the newest one, None after the last.

        Raises:
            DataError: The API contradicts itself on whether and where there is one.
        """


class SinglePage:
    """One request has everything."""

    def first(self) -> Step:
        """Returns a step that adds nothing."""
        return Step()

    def following(self, page: Page) -> Step | None:  # noqa: ARG002 - nothing follows, whatever the page says
        """Returns None."""
        return None


class CursorPages:
    """Each answer holds the cursor of the next page."""

    def __init__(self, paging: CursorPaging) -> None:
        self._paging = paging
        self._seen = _Seen("cursor")

    def first(self) -> Step:
        """Returns the step to the first page, which has no cursor."""
        return self._step({})

    def following(self, page: Page) -> Step | None:
        """Returns the step with the answer's cursor."""
        cursor = self._cursor(page)
        more = page.body.value(self._paging.more_path) if self._paging.more_path and page.body else None
        if not has_next(cursor is not None, more):
            return None
        self._seen.add(cursor)
        return self._step({self._paging.parameter: cursor})

    def _cursor(self, page: Page) -> Any:
        cursor: Any
        if self._paging.header is not None:
            cursor = page.headers.get(self._paging.header)
        elif self._paging.record_field is not None:
            cursor = field_of(page.records[-1], self._paging.record_field) if page.records else None
            if page.records and cursor is None:
                raise DataError(
                    "a page's last record has no value in the field that leads to the next page",
                    guidance="Check `record_field` in the dataset's `paging`: every record must have it.",
                    record_field=self._paging.record_field,
                )
        else:
            cursor = page.body.value(self._paging.path or "") if page.body is not None else None
        return None if cursor is False or cursor == "" else cursor

    def _step(self, values: dict[str, Any]) -> Step:
        if self._paging.size_parameter is not None and self._paging.size is not None:
            values[self._paging.size_parameter] = self._paging.size
        return Step(values, self._paging.location)


class LinkedPages:
    """Each answer holds the address of the next page, in its body or its `Link` header."""

    def __init__(self, paging: NextUrlPaging | LinkHeaderPaging) -> None:
        self._paging = paging
        self._seen = _Seen("address")

    def first(self) -> Step:
        """Returns a step that adds nothing."""
        return Step()

    def following(self, page: Page) -> Step | None:
        """Returns the step to the address, resolved against the page's own where it is relative."""
        more = None
        if isinstance(self._paging, LinkHeaderPaging):
            address = next_link(page.links)
        else:
            address = page.body.value(self._paging.path) if page.body is not None else None
            more = page.body.value(self._paging.more_path) if self._paging.more_path and page.body else None
        if not has_next(bool(address), more):
            return None
        url = str(page.url.join(str(address)))
        self._seen.add(url)
        return Step(url=url)


class _Seen:
    """The cursors or addresses of a walk: one that comes twice would lead in a circle."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._hashes: set[int] = set()

    def add(self, value: Any) -> None:
        # 8 bytes each instead of the value: a walk may have a million pages.
        mark = hash(repr(value))
        if mark in self._hashes:
            raise DataError(
                "the API named the same next page twice",
                guidance="Run again; if it stays so, the API's paging is broken or the dataset's `paging` is wrong.",
                paging=self._noun,
            )
        self._hashes.add(mark)


def has_next(is_named: bool, more: Any) -> bool:
    """Returns whether a page follows, from whether the answer names it and what it says of more pages (None: nothing).

    Raises:
        DataError: More pages are said to follow, but none is named.
    """
    if more is None:
        return is_named
    if more and not is_named:
        raise DataError(
            "the body says that more pages follow, but does not say which",
            guidance="Run again; if it stays so, check where the dataset's `paging` looks for the next page.",
        )
    return bool(more)


def pager_of(paging: Paging) -> Pager:
    """Returns a pager for one walk."""
    match paging:
        case PageNumberPaging() | OffsetPaging():
            return NumberedPages(paging)
        case CursorPaging():
            return CursorPages(paging)
        case NextUrlPaging() | LinkHeaderPaging():
            return LinkedPages(paging)
        case _:
            return SinglePage()
