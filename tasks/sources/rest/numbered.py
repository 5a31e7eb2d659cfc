"""Pages by number or by offset: how to ask for each, and where they end."""

from __future__ import annotations

from math import ceil
from typing import Any

from penstock.errors import DataError
from penstock.sources.rest import OffsetPaging, PageNumberPaging
from tasks.sources.rest.page import Page, Step, as_count

_EMPTY = "a page is empty although more pages are stated"
_EMPTY_GUIDANCE = "Run again; if it stays so, the API's paging is broken and its owner has to know."


class NumberedPages:
    """Pages by number or offset. Knows where they end from what the API states, or from the pages' lengths."""

    def __init__(self, paging: PageNumberPaging | OffsetPaging) -> None:
        self.page_count = 0
        self._paging = paging
        self._rows = 0
        self._total: int | None = None
        self._stated_pages: int | None = None
        # Whether a page had exactly the asked number of records, so that a shorter one is the last.
        self._is_size_kept = False

    def first(self) -> Step:
        """Returns the step to the first page."""
        return self.step_to(0)

    def following(self, page: Page) -> Step | None:
        """Returns the step after a page; offsets follow the records that came, not those that were asked for."""
        if not self.has_more_after(page):
            return None
        if isinstance(self._paging, OffsetPaging):
            return self._step(self._rows)
        return self.step_to(self.page_count)

    def step_to(self, index: int) -> Step:
        """Returns the step to a page by its place, the first being 0; needs full pages before it for offsets."""
        if isinstance(self._paging, OffsetPaging):
            return self._step(index * self._paging.size)
        return self._step(self._paging.first + index)

    def has_more_after(self, page: Page) -> bool:
        """Counts the newest page and returns whether another one follows.

        Raises:
            DataError: A page is empty although the API states that more follow.
        """
        rows, size = len(page.records), self._paging.size
        self.page_count += 1
        self._rows += rows
        self._total = page.total if page.total is not None else self._total
        if rows == size:
            self._is_size_kept = True
        elif size is not None and rows > size:
            raise DataError(
                "a page has more records than were asked for",
                guidance="Set the paging's `size` (and `size_parameter`) to what the API gives a page.",
                asked=size,
                came=rows,
            )
        if isinstance(self._paging, PageNumberPaging) and self._paging.pages_path is not None:
            return self._is_before_stated_end(page, self._paging.pages_path)
        stated = self._stated_more(page)
        if stated is not None:
            return stated
        if rows == 0:
            return False
        if self._total is not None:
            return self._rows < self._total
        return not (self._is_size_kept and size is not None and rows < size)

    def can_skip_ahead(self) -> bool:
        """Returns whether a later page can be asked for by its place: by number always, by offset after full pages."""
        return not isinstance(self._paging, OffsetPaging) or self._rows == self.page_count * self._paging.size

    def known_pages(self) -> int | None:
        """Returns how many pages there are, where the API has stated enough to tell."""
        if self._stated_pages is not None:
            return self._stated_pages
        if self._total is not None and self._paging.size is not None and self._is_size_kept:
            return ceil(self._total / self._paging.size)
        return None

    def _step(self, position: int) -> Step:
        values: dict[str, Any] = {self._paging.parameter: position}
        if self._paging.size_parameter is not None and self._paging.size is not None:
            values[self._paging.size_parameter] = self._paging.size
        return Step(values, self._paging.location)

    def _stated_more(self, page: Page) -> bool | None:
        """Returns whether the body says that more pages follow, None where it does not say it."""
        path = self._paging.more_path if isinstance(self._paging, PageNumberPaging) else None
        more = page.body.value(path) if path is not None and page.body is not None else None
        if more and not page.records:
            raise DataError(_EMPTY, guidance=_EMPTY_GUIDANCE, page=self.page_count)
        return None if more is None else bool(more)

    def _is_before_stated_end(self, page: Page, path: str) -> bool:
        stated = as_count(page.body.value(path)) if page.body is not None else 0
        if stated is None:
            raise DataError(
                "the body does not state how many pages there are",
                guidance="Check the paging's `pages_path`.",
                pages_path=path,
            )
        self._stated_pages = stated
        has_more = self.page_count < stated
        if has_more and not page.records:
            raise DataError(_EMPTY, guidance=_EMPTY_GUIDANCE, page=self.page_count, pages=stated)
        return has_more
