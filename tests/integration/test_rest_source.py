"""The generic REST source: every paging style to the last page and the total, windows, children, and refusals."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from penstock.artifacts import Interval
from penstock.connections import RestConnection
from penstock.errors import ConfigurationError, DataError, PenstockError, RejectedError, TransientError
from penstock.sources.rest import RestDataset, RestSource
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.rest.collection import Collection, Paging, TimeFilter
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.sources.contract import ExtractRequest
from tasks.sources.rest.extract import extract
from tasks.sources.rest.files import JsonLinesFiles
from tests.fakes.clock import FakeTime
from tests.fakes.scripted_api import Answer, Asked, scripted_api
from tests.fakes.sink import MemorySink

FIRST = datetime(2026, 3, 1, tzinfo=UTC)
SIZE = 50
COUNTS = (0, 7, SIZE, 5 * SIZE, 5 * SIZE + 7)
ACCOUNTS = [{"id": f"a {number}?ü#", "tier": number % 3} for number in range(12)]
FULL = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, tzinfo=UTC))

STYLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "none": ({"style": "none"}, {"kind": "none"}),
    "page": ({"style": "page"}, {"kind": "page_number"}),
    "page_sized": ({"style": "page"}, {"kind": "page_number", "size_parameter": "per_page", "size": SIZE}),
    "page_counted": (
        {"style": "page", "pages_path": "meta.pages", "first_page": 0},
        {"kind": "page_number", "first": 0, "pages_path": "meta.pages"},
    ),
    "page_in_body": (
        {"style": "page", "place": "body", "page_name": "paging.page"},
        {"kind": "page_number", "parameter": "paging.page", "location": "body"},
    ),
    "offset": ({"style": "offset"}, {"kind": "offset", "size_parameter": "per_page", "size": SIZE}),
    "offset_capped": ({"style": "offset", "largest_size": 40}, {"kind": "offset", "size_parameter": "per_page"}),
    "cursor": (
        {"style": "cursor", "next_path": "meta.next", "more_path": "meta.more", "total_path": "meta.total"},
        {"kind": "cursor", "path": "meta.next", "more_path": "meta.more"},
    ),
    "cursor_absent": ({"style": "cursor", "last_page": "absent"}, {"kind": "cursor", "path": "paging.next"}),
    "cursor_empty": ({"style": "cursor", "last_page": "empty"}, {"kind": "cursor", "path": "paging.next"}),
    "header_cursor": ({"style": "header_cursor"}, {"kind": "cursor", "header": "X-Next-Cursor"}),
    "keyset": (
        {"style": "keyset", "cursor_name": "after", "more_path": "meta.more"},
        {"kind": "cursor", "record_field": "id", "parameter": "after", "more_path": "meta.more"},
    ),
    "next_url": ({"style": "next_url"}, {"kind": "next_url", "path": "paging.next"}),
    "next_url_relative": ({"style": "next_url", "relative_urls": True}, {"kind": "next_url", "path": "paging.next"}),
    "link_header": ({"style": "link_header"}, {"kind": "link_header"}),
}

# Where these look for a next page, which their last answer leaves out: a full only page leaves it open.
LEAVE_THE_PLACE_OUT = {
    "cursor_absent": "paging.next",
    "header_cursor": "X-Next-Cursor",
}


def _record(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "updated_at": (FIRST + timedelta(hours=number)).isoformat(),
        "nested": {"text": 'line\n"quoted", ü'},
    }


def _collections() -> dict[str, Collection]:
    by_time = TimeFilter(end_inclusive=True)
    made = {
        f"{style}/{count}": Collection(
            records=[_record(number) for number in range(count)],
            paging=Paging(size=SIZE, **served),
            record_path="result.items",
            time_filter=by_time,
        )
        for style, (served, _asked) in STYLES.items()
        for count in COUNTS
    }
    children = [{"id": number, "account_id": ACCOUNTS[number % 11]["id"]} for number in range(500)]
    made["accounts"] = Collection(records=ACCOUNTS, paging=Paging(style="cursor", size=5))
    made["accounts/{account_id}/orders"] = Collection(
        records=children, paging=Paging(size=20, total_header="X-Total"), id_column="id"
    )
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve(SandboxSettings(clock=Clock("2026-03-20T12:00:00Z"), collections=_collections())) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    return server


def _extract(url: str, sink: MemorySink | None = None, interval: Interval = FULL, **dataset: Any) -> MemorySink:
    sink = sink or MemorySink()
    spec = RestDataset.model_validate({"name": "items", "path": "/items", "records": "data", **dataset})
    request = ExtractRequest(RestSource(kind="rest", connection="acme-api"), spec, interval, "acme-api")
    extract(request, RestConnection(kind="rest", base_url=url), sink, clock=FakeTime().clock)
    return sink


def _read_style(sandbox: Sandbox, style: str, count: int, interval: Interval = FULL, **dataset: Any) -> MemorySink:
    _served, paging = STYLES[style]
    method = "POST" if style == "page_in_body" else "GET"
    place = {"path": f"/{style}/{count}", "records": "result.items", "paging": paging, "method": method}
    return _extract(sandbox.service_url("rest"), interval=interval, **(place | dataset))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("style", STYLES)
def test_every_record_comes_once_and_in_order_up_to_the_last_page(sandbox: Sandbox, style: str, count: int) -> None:
    sink = _read_style(sandbox, style, count)
    assert sink.rows() == [_record(number) for number in range(count)]
    assert sink.row_count == count
    is_doubtful = style in LEAVE_THE_PLACE_OUT and count == SIZE
    assert [warning.partition(";")[0] for warning in sink.warnings] == (
        [f"the only page had {SIZE} records and nothing at {LEAVE_THE_PLACE_OUT[style]}"] if is_doubtful else []
    )


@pytest.mark.parametrize(
    ("style", "paging", "found"),
    [
        ("cursor_absent", {"kind": "cursor", "path": "paging.nxt"}, "paging.next"),
        ("cursor_empty", {"kind": "cursor", "path": "pagin.next"}, "paging.next"),
        ("cursor", {"kind": "cursor", "path": "cursor"}, "meta.more"),
        ("next_url", {"kind": "next_url", "path": "next"}, "paging.next"),
        ("header_cursor", {"kind": "cursor", "header": "X-Next-Curser"}, "x-next-cursor"),
    ],
)
def test_a_misspelt_place_of_the_next_page_is_an_error_that_names_the_right_one(
    sandbox: Sandbox, style: str, paging: dict[str, Any], found: str
) -> None:
    with pytest.raises(DataError, match="not where the dataset's `paging` looks") as raised:
        _read_style(sandbox, style, COUNTS[-1], paging=paging)
    assert raised.value.facts["found"] == found
    assert _read_style(sandbox, style, 7, paging=paging).row_count == 7, "one short page, and nothing says more"


def test_a_window_that_the_api_does_not_know_is_remarked(sandbox: Sandbox) -> None:
    day = Interval(start=FIRST + timedelta(days=7), end=FIRST + timedelta(days=8), as_of=FIRST + timedelta(days=9))
    right = {"start": "updated_since", "end": "updated_until", "end_inclusive": True}
    for names, count, remarks in (({"start": "updated_sins"}, COUNTS[-1], 1), (right, 24, 0)):
        sink = _read_style(sandbox, "page", COUNTS[-1], interval=day, window_parameters=names)
        assert sink.row_count == count
        assert [("none of the first 50 records" in remark) for remark in sink.warnings] == [True] * remarks


def test_a_misspelt_total_is_told_the_number_that_was_probably_meant(sandbox: Sandbox) -> None:
    with pytest.raises(DataError, match=r"Did you mean `total: meta\.total`") as raised:
        _read_style(sandbox, "cursor", COUNTS[-1], total="meta.totl")
    assert "meta.total" in raised.value.facts["numbers"]


def test_a_cursor_taken_from_a_field_that_records_lack_is_an_error(sandbox: Sandbox) -> None:
    paging = {"kind": "cursor", "record_field": "ident", "parameter": "after"}
    with pytest.raises(DataError, match="no value in the field that leads to the next page"):
        _read_style(sandbox, "keyset", COUNTS[-1], paging=paging)


@pytest.mark.parametrize(
    ("style", "sign"),
    [("cursor", "meta.more"), ("next_url", "paging.next"), ("header_cursor", "x-next-cursor"), ("link_header", "link")],
)
def test_an_answer_that_says_more_follow_is_remarked_where_no_paging_is_set(
    sandbox: Sandbox, style: str, sign: str
) -> None:
    sink = _read_style(sandbox, style, COUNTS[-1], paging={"kind": "none"})
    assert sink.row_count == SIZE
    assert sink.warnings == [f"the only page that was asked for says that more follow ({sign}): see `paging`"]


@pytest.mark.parametrize("style", ["page", "page_sized", "page_counted", "offset", "offset_capped"])
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("concurrency", [2, 7])
def test_pages_read_at_once_are_written_in_order_with_the_last_one(
    sandbox: Sandbox, style: str, count: int, concurrency: int
) -> None:
    sink = _read_style(sandbox, style, count, concurrency=concurrency)
    assert [row["id"] for row in sink.rows()] == list(range(count))


def test_no_rows_make_no_file(sandbox: Sandbox) -> None:
    assert _read_style(sandbox, "cursor", 0).files == []


def test_pages_are_asked_for_while_others_are_on_their_way() -> None:
    both = threading.Barrier(3, timeout=5)

    def answer(asked: Asked) -> Answer:
        page = int(asked.query["page"])
        if page in (2, 3, 4):
            both.wait()
        return Answer({"data": [{"id": page}] if page <= 4 else [], "pages": 4})

    with scripted_api(answer) as api:
        paging = {"kind": "page_number", "pages_path": "pages"}
        sink = _extract(api.url, paging=paging, concurrency=3)
        assert len(api.asked) == 4
    assert [row["id"] for row in sink.rows()] == [1, 2, 3, 4]


def test_a_page_that_fails_while_others_are_on_their_way_fails_the_extraction() -> None:
    def answer(asked: Asked) -> Answer:
        page = int(asked.query["page"])
        return Answer("", status=403) if page == 5 else Answer({"data": [{"id": page}], "total": 9})

    sink = MemorySink()
    with scripted_api(answer) as api, pytest.raises(RejectedError, match="lack a right"):
        _extract(api.url, sink, paging={"kind": "page_number", "size": 1}, total="total", concurrency=3)
    assert sink.files == []
    assert sink.abandoned == 1


def test_what_is_asked_beyond_the_end_does_not_matter_even_if_it_fails() -> None:
    def answer(asked: Asked) -> Answer:
        page = int(asked.query["page"])
        rows = [{"id": 2 * page}, {"id": 2 * page + 1}] if page < 4 else [{"id": 8}]
        return Answer({"data": rows}) if page <= 4 else Answer("", status=404)

    with scripted_api(answer) as api:
        sink = _extract(api.url, paging={"kind": "page_number", "size": 2}, concurrency=4)
    assert [row["id"] for row in sink.rows()] == [2, 3, 4, 5, 6, 7, 8]


def test_a_short_page_in_the_middle_of_offsets_read_at_once_is_an_error() -> None:
    def answer(asked: Asked) -> Answer:
        offset = int(asked.query["offset"])
        rows = [{"id": number} for number in range(offset, min(offset + 10, 45))]
        return Answer({"data": rows[:7] if offset == 20 else rows, "total": 45})

    with scripted_api(answer) as api, pytest.raises(DataError, match="in the middle"):
        _extract(api.url, paging={"kind": "offset", "size": 10}, total="total", concurrency=2)


def test_records_keep_their_bytes_and_their_line_breaks_become_spaces() -> None:
    body = '{\n "data": [\n  {"b": 1.10,\n   "a": "\\u00e9"},\r\n  {"a": null}\n ]\n}'
    with scripted_api(lambda _asked: Answer(body)) as api:
        sink = _extract(api.url)
    assert bytes(sink.files[0].data) == b'{"b": 1.10,    "a": "\\u00e9"}\n{"a": null}\n'
    assert sink.files[0].source_name == "/items"


def test_an_emoji_cut_in_half_is_replaced_with_a_warning() -> None:
    with scripted_api(lambda _asked: Answer('{"data": [{"a": "cut \\ud83d"}]}')) as api:
        sink = _extract(api.url)
    assert sink.rows() == [{"a": "cut \ufffd"}]
    assert sink.warnings == ["1 pages had halves of UTF-16 pairs in their text, now U+FFFD"]


def test_a_204_is_an_empty_page() -> None:
    with scripted_api(lambda _asked: Answer(b"", status=204)) as api:
        assert _extract(api.url).files == []


def test_an_absent_array_is_an_empty_page_only_where_the_file_says_so() -> None:
    with scripted_api(lambda _asked: Answer({"meta": {}})) as api:
        assert _extract(api.url, records_may_be_absent=True).files == []
        with pytest.raises(DataError, match="no array of records"):
            _extract(api.url)
    with scripted_api(lambda _asked: Answer({"data": None})) as api:
        assert _extract(api.url, records_may_be_absent=True).files == []
        with pytest.raises(DataError, match="no array of records"):
            _extract(api.url)


@pytest.mark.parametrize(
    "body", ["<html>Sign in</html>", "Unexpected error", {"error": "quota"}, {"data": {"id": 1}}, {"data": [1, 2]}, []]
)
def test_a_success_that_holds_something_else_is_asked_again_and_then_an_error(body: Any) -> None:
    with scripted_api(lambda _asked: Answer(body)) as api, pytest.raises(DataError) as caught:
        _extract(api.url)
    assert len(api.asked) == 3
    assert caught.value.endpoint == "/items"
    assert "quota" not in str(caught.value)


def test_a_page_that_made_no_sense_once_is_read_when_it_does() -> None:
    bodies = [Answer("<html>"), Answer({"data": [{"id": 1}]})]
    with scripted_api(lambda asked: bodies[asked.number]) as api:
        assert _extract(api.url).rows() == [{"id": 1}]


def _numbered(total: Callable[[int], Any], pages: int = 3) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        page = int(asked.query.get("page", 1))
        rows = [{"id": 10 * page + place} for place in range(10)] if page <= pages else []
        return Answer({"data": rows, "total": total(page)}, headers={"X-Total": str(total(page))})

    return answer


@pytest.mark.parametrize("where", [{"total": "total"}, {"total_header": "x-total"}])
def test_the_stated_total_is_reconciled(where: dict[str, str]) -> None:
    paging = {"kind": "page_number", "size": 10}
    with scripted_api(_numbered(lambda _page: 30)) as api:
        assert _extract(api.url, paging=paging, **where).row_count == 30
        assert len(api.asked) == 3
    with scripted_api(_numbered(lambda _page: 31)) as api, pytest.raises(DataError, match="not as many") as caught:
        _extract(api.url, paging=paging, **where)
    assert (caught.value.rows, caught.value.total, caught.value.pages) == (30, 31, 4)
    assert (caught.value.connection, caught.value.endpoint) == ("acme-api", "/items")


def test_a_total_that_moved_while_pages_were_read_is_worth_another_try() -> None:
    with scripted_api(_numbered(lambda page: 30 + page)) as api, pytest.raises(TransientError, match="changed while"):
        _extract(api.url, paging={"kind": "page_number", "size": 10}, total="total")


@pytest.mark.parametrize("change", ["removed", "added"])
def test_a_record_that_came_or_went_before_the_place_that_is_read_is_noticed_though_the_numbers_add_up(
    change: str,
) -> None:
    before = list(range(30))
    after = before[1:] if change == "removed" else [-1, *before]

    def answer(asked: Asked) -> Answer:
        records = after if asked.number else before
        first = 10 * (int(asked.query.get("page", 1)) - 1)
        return Answer({"data": [{"id": one} for one in records[first : first + 10]], "total": len(records)})

    with scripted_api(answer) as api, pytest.raises(TransientError, match="changed while") as caught:
        _extract(api.url, paging={"kind": "page_number", "size": 10}, total="total")
    assert caught.value.rows == caught.value.total == len(after)


def test_a_cursor_stays_at_its_record_and_reads_what_was_added_behind_it() -> None:
    def answer(asked: Asked) -> Answer:
        is_last = "after" in asked.query
        return Answer({"data": [{"id": asked.number}], "total": 1 + is_last, "next": None if is_last else "x"})

    with scripted_api(answer) as api:
        paging = {"kind": "cursor", "parameter": "after", "path": "next"}
        assert _extract(api.url, paging=paging, total="total").rows() == [{"id": 0}, {"id": 1}]


def test_a_total_that_is_never_stated_is_an_error() -> None:
    with scripted_api(_numbered(lambda _page: None)) as api, pytest.raises(DataError, match="did not state how many"):
        _extract(api.url, paging={"kind": "page_number", "size": 10}, total="total")


def test_an_api_that_does_not_know_the_page_parameter_is_noticed() -> None:
    with scripted_api(lambda _asked: Answer({"data": [{"id": 1}, {"id": 2}]})) as api:
        with pytest.raises(DataError, match="same page twice"):
            _extract(api.url, paging={"kind": "page_number"})
        assert len(api.asked) == 2


def test_more_pages_than_allowed_are_an_error_not_a_stop() -> None:
    def answer(asked: Asked) -> Answer:
        return Answer({"data": [{"id": asked.number}], "next": f"c{asked.number}"})

    with scripted_api(answer) as api, pytest.raises(DataError, match="more pages than allowed"):
        _extract(api.url, paging={"kind": "cursor", "path": "next"}, max_pages=5)


@pytest.mark.parametrize("style", ["cursor", "header_cursor", "next_url", "link_header"])
def test_a_repeated_pointer_is_an_error(sandbox: Sandbox, style: str) -> None:
    sandbox.faults.add(Fault(kind="repeated_page_token", path=f"/rest/{style}/*", after=2, times=None))
    sink = MemorySink()
    with pytest.raises(DataError, match="twice"):
        _extract(
            sandbox.service_url("rest"),
            sink,
            path=f"/{style}/257",
            records="result.items",
            paging=STYLES[style][1],
        )
    assert sink.files == []


def test_a_missing_pointer_is_noticed_by_the_total(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="missing_page_token", path="/rest/cursor/*", after=1))
    with pytest.raises(DataError, match="not as many records") as caught:
        _read_style(sandbox, "cursor", 257, total="meta.total")
    assert (caught.value.rows, caught.value.total) == (100, 257)


def test_a_missing_pointer_while_the_body_says_more_is_an_error() -> None:
    paging = {"kind": "cursor", "path": "next", "more_path": "more"}
    with (
        scripted_api(lambda _asked: Answer({"data": [{"id": 1}], "more": True})) as api,
        pytest.raises(DataError, match="more pages follow"),
    ):
        _extract(api.url, paging=paging)


@pytest.mark.parametrize(
    ("value", "found"), [({"cursor": "a1"}, "an object with cursor"), (7, "a number"), ("no address", "text")]
)
def test_a_next_address_that_is_none_is_told_by_what_stands_there(value: object, found: str) -> None:
    body = {"data": [{"id": 1}], "next": value}
    with scripted_api(lambda _asked: Answer(body)) as api, pytest.raises(DataError, match="than an address") as caught:
        _extract(api.url, paging={"kind": "next_url", "path": "next"})
    assert {asked.path for asked in api.asked} == {"/items"}
    assert caught.value.facts == {"connection": "acme-api", "endpoint": "/items", "path": "next", "found": found}


def test_a_next_address_that_fails_names_the_dataset_and_where_the_address_came_from() -> None:
    def answer(asked: Asked) -> Answer:
        return Answer({"data": [{"id": 1}], "next": "bXk"}) if asked.path == "/items" else Answer("no", status=404)

    with scripted_api(answer) as api, pytest.raises(RejectedError) as caught:
        _extract(api.url, paging={"kind": "next_url", "path": "next"})
    facts = {"connection": "acme-api", "endpoint": "/items", "address_from": "the page before", "status": 404}
    assert {name: value for name, value in caught.value.facts.items() if value is not None} == facts
    assert "where the dataset's `paging` looks" in caught.value.guidance


@pytest.mark.parametrize("kind", ["next_url", "link_header"])
@pytest.mark.parametrize("address", ["https://evil.example/items?page=2", "//evil.example/items?page=2"])
def test_credentials_do_not_follow_an_address_to_another_host(kind: str, address: str) -> None:
    def answer(_asked: Asked) -> Answer:
        return Answer({"data": [{"id": 1}], "next": address}, headers={"Link": f'<{address}>; rel="next"'})

    paging = {"kind": kind, **({"path": "next"} if kind == "next_url" else {})}
    with scripted_api(answer) as api, pytest.raises(DataError, match="another host") as caught:
        _extract(api.url, paging=paging)
    assert caught.value.host == "evil.example"


def test_a_window_is_put_into_the_query_or_the_body() -> None:
    day = Interval(
        start=datetime(2026, 3, 18, tzinfo=UTC),
        end=datetime(2026, 3, 19, tzinfo=UTC),
        as_of=datetime(2026, 3, 20, tzinfo=UTC),
    )
    in_query = {"start": "since", "end": "until", "end_inclusive": True}
    in_body = {"location": "body", "start": "filter.from", "end": "filter.to", "format": "epoch_ms"}
    with scripted_api(lambda _asked: Answer({"data": []})) as api:
        _extract(api.url, interval=day, window_parameters=in_query, parameters={"status": "open"})
        body = {"filter": {"status": "open"}}
        _extract(api.url, interval=day, method="POST", body=body, window_parameters=in_body)
    assert api.asked[0].query == {
        "status": "open",
        "since": "2026-03-18T00:00:00Z",
        "until": "2026-03-18T23:59:59Z",
    }
    assert api.asked[1].json() == {"filter": {"status": "open", "from": 1_773_792_000_000, "to": 1_773_878_400_000}}


def test_a_window_that_the_api_cannot_be_told_asks_nothing() -> None:
    noon = Interval(
        start=datetime(2026, 3, 18, 12, tzinfo=UTC),
        end=datetime(2026, 3, 19, 12, tzinfo=UTC),
        as_of=datetime(2026, 3, 20, tzinfo=UTC),
    )
    with scripted_api(lambda _asked: Answer({"data": []})) as api:
        with pytest.raises(ConfigurationError):
            _extract(api.url, interval=noon, window_parameters={"start": "since", "format": "date"})
        assert api.asked == []


PARENT = {
    "path": "/accounts",
    "records": "data",
    "field": "id",
    "name": "account_id",
    "paging": {"kind": "cursor", "path": "paging.next"},
}
CHILDREN = {
    "path": "/accounts/{account_id}/orders",
    "paging": {"kind": "page_number"},
    "total_header": "X-Total",
    "parent": PARENT,
}


@pytest.mark.parametrize("concurrency", [1, 4])
def test_children_of_every_parent_come_to_their_last_page_and_carry_their_parent(
    sandbox: Sandbox, concurrency: int
) -> None:
    sink = _extract(sandbox.service_url("rest"), **CHILDREN, concurrency=concurrency)
    rows = sorted(sink.rows(), key=lambda row: row["id"])
    assert rows == [{"id": number, "account_id": ACCOUNTS[number % 11]["id"]} for number in range(500)]
    assert sink.row_count == 500


def _family(asked: Asked) -> Answer:
    if asked.path == "/accounts":
        return Answer({"data": [{"id": 1}, {"id": 2}, {"id": 1}, {"id": 3}]})
    account = int(asked.path.split("/")[2])
    return Answer("", status=404) if account == 2 else Answer({"data": [{"amount": 10 * account}, {}]})


def test_a_parent_listed_twice_is_asked_once_and_its_value_is_added_to_its_children() -> None:
    parent = PARENT | {"paging": {"kind": "none"}, "gone": "skip"}
    with scripted_api(_family) as api:
        sink = _extract(api.url, path="/accounts/{account_id}/orders", parent=parent)
        assert api.paths() == ["/accounts", "/accounts/1/orders", "/accounts/2/orders", "/accounts/3/orders"]
    assert [bytes(line) for line in bytes(sink.files[0].data).splitlines()] == [
        b'{"account_id":1,"amount": 10}',
        b'{"account_id":1}',
        b'{"account_id":3,"amount": 30}',
        b'{"account_id":3}',
    ]
    assert sink.warnings == ["1 of 3 parents were gone when their children were asked for"]


def test_parents_that_are_fewer_than_the_api_states_are_an_error_before_any_child_is_asked_for() -> None:
    parent = PARENT | {"paging": {"kind": "none"}, "total": "count"}
    with scripted_api(lambda _asked: Answer({"data": [{"id": 1}], "count": 2})) as api:
        with pytest.raises(DataError, match="not as many records"):
            _extract(api.url, path="/accounts/{account_id}/orders", parent=parent)
        assert api.paths() == ["/accounts"]


def test_a_parent_that_is_gone_stops_the_extraction_unless_the_file_allows_it() -> None:
    parent = PARENT | {"paging": {"kind": "none"}}
    with scripted_api(_family) as api, pytest.raises(RejectedError) as caught:
        _extract(api.url, path="/accounts/{account_id}/orders", parent=parent)
    assert caught.value.endpoint == "/accounts/{account_id}/orders"


@pytest.mark.parametrize("record", [{}, {"id": None}, {"id": ""}, {"id": True}, {"id": {"a": 1}}, {"id": 1.5}])
def test_a_parent_without_a_usable_value_is_an_error(record: dict[str, Any]) -> None:
    with scripted_api(lambda _asked: Answer({"data": [record]})) as api, pytest.raises(DataError, match="no value"):
        _extract(api.url, path="/accounts/{account_id}/orders", parent=PARENT | {"paging": {"kind": "none"}})


def test_a_parent_may_be_named_in_a_parameter_and_chosen_by_a_field() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/types":
            return Answer({"data": [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}, {"id": 3, "kind": "c"}]})
        return Answer({"data": [{"entry": f"{asked.query['type']}-{asked.query['size']}"}]})

    parent = {"path": "/types", "records": "data", "field": "id", "name": "type_id", "where": {"kind": ["a", "c"]}}
    dataset = {"path": "/entries", "parameters": {"type": "{type_id}", "size": 9}, "parent": parent}
    with scripted_api(answer) as api:
        assert _extract(api.url, **dataset).rows() == [{"type_id": 1, "entry": "1-9"}, {"type_id": 3, "entry": "3-9"}]
        none = _extract(api.url, **{**dataset, "parent": {**parent, "where": {"kind": ["z"]}}})
    assert none.rows() == []
    assert none.warnings == ["none of 3 parents is as `where` asks, so there are no children"]


def test_a_parameter_may_be_given_several_times() -> None:
    def answer(asked: Asked) -> Answer:
        return Answer({"data": []})

    with scripted_api(answer) as api:
        _extract(api.url, parameters={"mode[one_of]": ["standard", "test"], "size": 5})
        assert api.asked[0].every == [("mode[one_of]", "standard"), ("mode[one_of]", "test"), ("size", "5")]


def _hour(hour: int, day: int = 18) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def test_a_single_object_is_one_row_and_carries_its_parent_and_the_bounds_that_were_asked() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/slos":
            return Answer({"data": [{"id": "one"}, {"id": "two"}]})
        return Answer({"data": {"value": int(asked.query["to"]) - int(asked.query["from"])}, "errors": None})

    window = {"start": "from", "end": "to", "format": "epoch", "longest": "6h"}
    parent = {"path": "/slos", "records": "data", "field": "id", "name": "slo"}
    half_day = Interval(start=_hour(0), end=_hour(9), as_of=_hour(12))
    with scripted_api(answer) as api:
        sink = _extract(
            api.url,
            interval=half_day,
            path="/{slo}/past",
            single_record=True,
            window_parameters=window,
            bucket={"kind": "request"},
            parent=parent,
        )
    assert sink.rows() == [
        {
            "slo": slo,
            "bucket_start": f"2026-03-18T{start:02d}:00:00Z",
            "bucket_end": f"2026-03-18T{end:02d}:00:00Z",
            "value": (end - start) * 3_600,
        }
        for start, end in pairwise((0, 6, 9))
        for slo in ("one", "two")
    ]
    assert sink.row_count == 4


def test_records_outside_of_the_interval_are_left_out_where_the_api_counts_in_days() -> None:
    times = [f"2026-03-18T{hour:02d}:30:00Z" for hour in range(24)]

    def answer(asked: Asked) -> Answer:
        assert (asked.query["day[gte]"], asked.query["day[lte]"]) == ("2026-03-18", "2026-03-18")
        return Answer({"data": [{"id": place, "at": time} for place, time in enumerate(times)], "total": len(times)})

    window = {"start": "day[gte]", "end": "day[lte]", "format": "date", "timezone": "UTC", "end_inclusive": True}
    dataset = {"window_parameters": {**window, "narrowed_by": "at"}, "total": "total"}
    with scripted_api(answer) as api:
        halves = [
            _extract(api.url, interval=Interval(start=_hour(start), end=_hour(end), as_of=_hour(23)), **dataset)
            for start, end in ((6, 8), (8, 11))
        ]
    assert [[row["id"] for row in half.rows()] for half in halves] == [[6, 7], [8, 9, 10]]
    assert [half.row_count for half in halves] == [2, 3]
    assert [half.warnings for half in halves] == [[], []]


@pytest.mark.parametrize("value", [None, "yesterday", 17, "2026-03-18T09:00:00"])
def test_a_record_without_the_time_that_narrows_is_an_error(value: object) -> None:
    window = {"start": "since", "narrowed_by": "at"}
    day = Interval(start=_hour(6), end=_hour(8), as_of=_hour(12))
    with (
        scripted_api(lambda _asked: Answer({"data": [{"id": 1, "at": value}]})) as api,
        pytest.raises(DataError, match="decides whether it belongs to the window"),
    ):
        _extract(api.url, interval=day, window_parameters=window)


def test_a_total_that_may_be_absent_counts_where_it_is_stated() -> None:
    optional = {"total": "total", "total_may_be_absent": True}
    with scripted_api(lambda _asked: Answer({"data": [{"id": 1}]})) as api:
        assert _extract(api.url, **optional).row_count == 1
    with (
        scripted_api(lambda _asked: Answer({"data": [{"id": 1}], "total": 2})) as api,
        pytest.raises(DataError, match="not as many records"),
    ):
        _extract(api.url, **optional)


def test_files_roll_at_their_size_and_hold_every_row() -> None:
    sink = MemorySink()
    with JsonLinesFiles(sink, "/items", roll_bytes=100) as files:
        for page in range(20):
            files.write(b"\n".join(b'{"id":%d}' % (3 * page + place) for place in range(3)), 3)
    assert len(sink.files) > 3
    assert [file.name for file in sink.files] == [
        f"part-{number:05d}.jsonl" for number in range(1, len(sink.files) + 1)
    ]
    assert {file.source_name for file in sink.files} == {"/items"}
    assert all(100 <= len(file.data) < 150 for file in sink.files[:-1])
    assert [row["id"] for row in sink.rows()] == list(range(60))
    assert [file.row_count for file in sink.files] == [len(file.rows()) for file in sink.files]


def test_a_sink_that_fails_ends_the_extraction_with_its_own_error() -> None:
    class FullDisk(MemorySink):
        def open_file(self, *_arguments: Any, **_more: Any) -> Any:
            raise PenstockError("the disk is full")

    def answer(asked: Asked) -> Answer:
        return Answer({"data": [{"id": asked.number}], "next": f"c{asked.number}" if asked.number < 30 else None})

    with scripted_api(answer) as api, pytest.raises(PenstockError, match="disk is full"):
        _extract(api.url, FullDisk(), paging={"kind": "cursor", "path": "next"})
    assert len(api.asked) < 30


def test_a_schema_change_arrives_as_the_api_sends_it(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="schema_change", path="/rest/page/7", change="rename", column="id", new_name="key"))
    rows = _read_style(sandbox, "page", 7).rows()
    assert [row["key"] for row in rows] == list(range(7))


@pytest.mark.parametrize(
    ("dataset", "complaint"),
    [
        ({"path": "https://api.example.com/items"}, "path"),
        ({"path": "/items/{id}"}, "must be the same"),
        ({"path": "/items", "parent": PARENT}, "must be the same"),
        ({"body": {"a": 1}}, "method: POST"),
        ({"paging": {"kind": "cursor", "path": "next", "location": "body"}}, "method: POST"),
        ({"paging": {"kind": "cursor"}}, "exactly one of"),
        ({"paging": {"kind": "cursor", "path": "a", "header": "b"}}, "exactly one of"),
        ({"paging": {"kind": "cursor", "path": "a"}, "concurrency": 2}, "at once"),
        ({"total": "a", "total_header": "b"}, "not both"),
        ({"window_parameters": {}}, "give `start`"),
        ({"parameters": {"account": "{id}"}}, "must be the same"),
        ({"single_record": True, "paging": {"kind": "link_header"}}, "has no pages"),
    ],
)
def test_a_dataset_that_cannot_work_is_no_valid_file(dataset: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        RestDataset.model_validate({"name": "items", "path": "/items", **dataset})


def test_a_dataset_survives_its_way_through_json() -> None:
    spec = RestDataset.model_validate({"name": "orders", **CHILDREN})
    assert RestDataset.model_validate(json.loads(spec.model_dump_json())) == spec
