from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import DataError
from penstock.sources.rest import CursorPaging, LinkHeaderPaging, NextUrlPaging, OffsetPaging, PageNumberPaging
from tasks.sources.rest.body import Raw, read_body
from tasks.sources.rest.numbered import NumberedPages
from tasks.sources.rest.page import Page
from tasks.sources.rest.paging import has_next, pager_of
from tasks.sources.rest.walk import with_values

URL = httpx.URL("https://api.example.com/v1/items?page=1")


def _page(rows: int, *, total: int | None = None, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Page:
    found = httpx.Headers(headers or {})
    return Page(
        url=URL,
        headers=found,
        links=tuple(found.get_list("link")),
        body=read_body(body),
        records=[Raw(b'{"id":%d}' % number) for number in range(rows)],
        lines=b"",
        total=total,
    )


def _asked(pager: NumberedPages, records: int, size: int, **page: Any) -> list[dict[str, Any]]:
    """Plays an API that has so many records and gives at most `size` a page; returns what was asked."""
    steps, step, given_out = [], pager.first(), 0
    while step is not None:
        steps.append(dict(step.values))
        rows = min(size, records - given_out)
        given_out += rows
        step = pager.following(_page(rows, **page))
    assert given_out == records, "the walk ended before the last record"
    return steps


@pytest.mark.parametrize(
    ("records", "pages"),
    [(0, [1]), (5, [1, 2]), (10, [1, 2]), (25, [1, 2, 3]), (20, [1, 2, 3])],
)
def test_numbered_pages_end_at_a_short_page_after_a_full_one_or_else_at_an_empty_one(
    records: int, pages: list[int]
) -> None:
    pager = NumberedPages(PageNumberPaging(kind="page_number", size=10))
    assert [step["page"] for step in _asked(pager, records, 10)] == pages


def test_an_api_that_gives_less_than_asked_is_read_to_its_end() -> None:
    pager = NumberedPages(PageNumberPaging(kind="page_number", size_parameter="per_page", size=1_000))
    steps = _asked(pager, 250, 100)
    assert [step["page"] for step in steps] == [1, 2, 3, 4]
    assert {step["per_page"] for step in steps} == {1_000}


@pytest.mark.parametrize(("records", "pages"), [(20, 2), (21, 3), (0, 1), (1, 1)])
def test_a_stated_total_spares_the_page_beyond_the_end(records: int, pages: int) -> None:
    pager = NumberedPages(PageNumberPaging(kind="page_number", size=10))
    assert len(_asked(pager, records, 10, total=records)) == pages


@pytest.mark.parametrize("pages", [1, 3])
def test_a_stated_number_of_pages_is_read_exactly(pages: int) -> None:
    pager = NumberedPages(PageNumberPaging(kind="page_number", pages_path="meta.pages"))
    body = b'{"meta": {"pages": %d}}' % pages
    assert len(_asked(pager, pages * 10, 10, body=body)) == pages


def test_stated_pages_count_where_pages_begin_at_zero() -> None:
    pager = NumberedPages(PageNumberPaging(kind="page_number", first=0, pages_path="pages"))
    steps = _asked(pager, 30, 10, body=b'{"pages": 3}')
    assert [step["page"] for step in steps] == [0, 1, 2]


def test_an_empty_page_before_the_stated_last_one_is_an_error() -> None:
    pager = NumberedPages(PageNumberPaging(kind="page_number", pages_path="pages"))
    pager.following(_page(10, body=b'{"pages": 3}'))
    with pytest.raises(DataError, match="more pages are stated"):
        pager.following(_page(0, body=b'{"pages": 3}'))


def test_a_missing_number_of_pages_is_an_error() -> None:
    pager = NumberedPages(PageNumberPaging(kind="page_number", pages_path="pages"))
    with pytest.raises(DataError, match="how many pages"):
        pager.following(_page(10, body=b'{"page": 3}'))


@given(records=st.integers(0, 60), size=st.integers(1, 12), largest=st.integers(1, 12))
def test_offsets_follow_the_records_that_came(records: int, size: int, largest: int) -> None:
    pager = NumberedPages(OffsetPaging(kind="offset", size=size))
    steps = _asked(pager, records, min(size, largest))
    came = [min(size, largest) * place for place in range(len(steps))]
    assert [step["offset"] for step in steps] == [min(offset, records) for offset in came]


def test_a_page_with_more_records_than_asked_is_an_error() -> None:
    pager = NumberedPages(OffsetPaging(kind="offset", size=10))
    with pytest.raises(DataError, match="more records than were asked"):
        pager.following(_page(20))


def test_a_cursor_is_carried_until_there_is_none() -> None:
    pager = pager_of(CursorPaging(kind="cursor", path="meta.next", size_parameter="limit", size=50))
    assert pager.first().values == {"limit": 50}
    step = pager.following(_page(1, body=b'{"meta": {"next": "abc"}}'))
    assert step is not None
    assert step.values == {"cursor": "abc", "limit": 50}
    for last in (b'{"meta": {"next": null}}', b'{"meta": {"next": ""}}', b'{"meta": {}}', b"{}"):
        assert pager.following(_page(1, body=last)) is None


def test_a_cursor_in_a_header_is_found_in_any_case() -> None:
    pager = pager_of(CursorPaging(kind="cursor", header="X-Next-Cursor"))
    step = pager.following(_page(1, headers={"x-next-cursor": "abc"}))
    assert step is not None
    assert step.values == {"cursor": "abc"}
    assert pager.following(_page(1)) is None


def test_the_last_records_field_can_be_the_cursor() -> None:
    pager = pager_of(CursorPaging(kind="cursor", record_field="id", more_path="has_more", parameter="starting_after"))
    step = pager.following(_page(3, body=b'{"has_more": true}'))
    assert step is not None
    assert step.values == {"starting_after": 2}
    assert pager.following(_page(5, body=b'{"has_more": false}')) is None


@pytest.mark.parametrize("body", [b'{"next": "abc", "more": false}', b'{"next": null, "more": false}'])
def test_no_page_follows_when_the_body_says_so(body: bytes) -> None:
    pager = pager_of(CursorPaging(kind="cursor", path="next", more_path="more"))
    assert pager.following(_page(1, body=body)) is None


def test_a_missing_cursor_while_the_body_says_more_is_an_error() -> None:
    pager = pager_of(CursorPaging(kind="cursor", path="next", more_path="more"))
    with pytest.raises(DataError, match="does not say which"):
        pager.following(_page(1, body=b'{"next": null, "more": true}'))


def test_a_cursor_that_comes_twice_is_an_error_also_after_others() -> None:
    pager = pager_of(CursorPaging(kind="cursor", path="next"))
    for cursor in ("a", "b", "c"):
        pager.following(_page(1, body=b'{"next": "%s"}' % cursor.encode()))
    with pytest.raises(DataError, match="same next page twice"):
        pager.following(_page(1, body=b'{"next": "b"}'))


@pytest.mark.parametrize(
    ("address", "resolved"),
    [
        ("https://api.example.com/v1/items?page=2", "https://api.example.com/v1/items?page=2"),
        ("/v2/items?page=2", "https://api.example.com/v2/items?page=2"),
        ("?page=2", "https://api.example.com/v1/items?page=2"),
        ("//elsewhere.example/items", "https://elsewhere.example/items"),
    ],
)
def test_a_next_address_is_resolved_against_the_page(address: str, resolved: str) -> None:
    by_body = pager_of(NextUrlPaging(kind="next_url", path="next"))
    by_link = pager_of(LinkHeaderPaging(kind="link_header"))
    from_body = by_body.following(_page(1, body=b'{"next": "%s"}' % address.encode()))
    from_link = by_link.following(_page(1, headers={"Link": f'<{address}>; rel="next"'}))
    assert from_body is not None
    assert from_link is not None
    assert from_body.url == from_link.url == resolved


def test_a_next_address_that_comes_twice_is_an_error() -> None:
    pager = pager_of(LinkHeaderPaging(kind="link_header"))
    page = _page(1, headers={"Link": '</v1/items?page=2>; rel="next"'})
    pager.following(page)
    with pytest.raises(DataError, match="same next page twice"):
        pager.following(page)


@pytest.mark.parametrize(
    ("is_named", "more", "follows"),
    [(True, None, True), (False, None, False), (True, True, True), (True, False, False), (False, False, False)],
)
def test_whether_a_page_follows(is_named: bool, more: bool | None, follows: bool) -> None:
    assert has_next(is_named, more) is follows


def test_values_are_put_into_a_body_along_dotted_paths_without_changing_the_original() -> None:
    body = {"query": {"filter": {"status": "open"}}, "limit": 5}
    filled = with_values(body, {"query.filter.since": "2026-01-01", "page.after": "abc", "limit": 10})
    assert filled == {
        "query": {"filter": {"status": "open", "since": "2026-01-01"}},
        "limit": 10,
        "page": {"after": "abc"},
    }
    assert body == {"query": {"filter": {"status": "open"}}, "limit": 5}
