from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import DataError
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.rest.body import carry_fields, field_of, join_records, read_body

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.text(max_size=8), JSON_VALUES, max_size=4), max_size=6)


def _lines(content: bytes, path: str) -> list[bytes]:
    records = read_body(content).records(path)
    assert records is not None
    return join_records(records).split(b"\n") if records else []


def test_records_keep_the_bytes_that_the_api_sent() -> None:
    content = b'{"data": [{"b": 1.10, "a":"\\u00e9"},  {"z" :{"y":[ 1,2 ]}}], "meta": {}}'
    assert _lines(content, "data") == [b'{"b": 1.10, "a":"\\u00e9"}', b'{"z" :{"y":[ 1,2 ]}}']


def test_a_line_break_inside_a_pretty_printed_record_becomes_a_space() -> None:
    content = json.dumps({"data": [{"id": 1, "note": "a\nb"}, {"id": 2}]}, indent=2).replace("\n", "\r\n").encode()
    lines = _lines(content, "data")
    assert [json.loads(line) for line in lines] == [{"id": 1, "note": "a\nb"}, {"id": 2}]
    assert b"\r" not in b"".join(lines)


@given(RECORDS, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_any_array_of_objects_comes_out_as_it_went_in(
    records: list[dict[str, object]], indent: str | int | None, ascii_only: bool
) -> None:
    content = json.dumps({"a": {"b": records}}, indent=indent, ensure_ascii=ascii_only).encode()
    assert [json.loads(line) for line in _lines(content, "a.b")] == records


def test_a_body_that_is_the_array_itself_has_its_records_at_the_empty_path() -> None:
    assert _lines(b' [{"id":1},{"id":2}]', "") == [b'{"id":1}', b'{"id":2}']


def test_a_byte_order_mark_is_passed_over() -> None:
    assert _lines(b'\xef\xbb\xbf{"data":[{"id":1}]}', "data") == [b'{"id":1}']


def test_an_absent_array_and_a_null_are_told_from_an_empty_one() -> None:
    body = read_body(b'{"empty": [], "null": null, "deep": {"null": null}}')
    assert body.records("empty") == []
    assert body.records("null") is None
    assert body.records("absent") is None
    assert body.records("deep.absent") is None
    assert body.records("null.deeper") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b"Unexpected error occurred",
        b'{"data": [{"id": 1}, {"id"',
        b'{"data": [{"id": 1}]} trailing',
        b'{"data": ["\xff"]}',
        b"3",
        b"null",
        b'"text"',
    ],
)
def test_what_is_no_json_object_or_array_is_unreadable_and_not_quoted(content: bytes) -> None:
    with pytest.raises(UnreadableBodyError) as caught:
        read_body(content)
    assert "error occurred" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("content", [b'{"data": {"id": 1}}', b'{"data": "none"}', b'{"data": 3}'])
def test_another_shape_than_an_array_is_unreadable(content: bytes) -> None:
    with pytest.raises(UnreadableBodyError, match="no array of records"):
        read_body(content).records("data")


@pytest.mark.parametrize(
    ("content", "path", "reached", "found", "advice"),
    [
        (
            b'{"data": [], "paging": {}}',
            "dta",
            "(body)",
            "an object with data, paging",
            "Did you mean `records: data`?",
        ),
        (b'{"orders": [], "total": 3}', "data", "(body)", "an object with orders, total", "`records: orders`?"),
        (b'{"data": {"items": [], "n": 1}}', "data", "data", "an object with items, n", "`records: data.items`?"),
        (b'{"data": {"items": []}}', "data.itmes.x", "data", "an object with items", "`records: data.items`?"),
        (b'{"data": [], "page": {"n": 1}}', "page", "page", "an object with n", "Did you mean `records: data`?"),
        (b'{"data": "secret"}', "data", "data", "text", "Look at an answer"),
        (b'{"data": null}', "data", "data", "null", "records_may_be_absent"),
        (b'{"a@b.example": [], "a": 1}', "b", "(body)", "an object with a and 1 more", "Look at an answer"),
        (b"[]", "data", "(body)", "an array", "leave the dataset's `records` out"),
        (b'{"data": []}', "", "(body)", "an object with data", "Did you mean `records: data`?"),
    ],
)
def test_a_path_that_leads_to_no_records_says_how_far_it_leads_and_what_was_meant(
    content: bytes, path: str, reached: str, found: str, advice: str
) -> None:
    error = read_body(content).no_records(path)
    assert (error.facts["reached"], error.facts["found"]) == (reached, found)
    assert advice in error.guidance
    assert "secret" not in str(error)


def test_an_object_where_the_body_should_be_the_array_is_unreadable() -> None:
    with pytest.raises(UnreadableBodyError, match="no array of records"):
        read_body(b'{"error": "quota exceeded"}').records("")


@pytest.mark.parametrize("array", [b"[1,2]", b'["a"]', b"[null]", b'[{"id":1},null]', b'[[{"id":1}]]', b'[{},"x"]'])
def test_only_objects_are_records(array: bytes) -> None:
    records = read_body(array).records("")
    assert records is not None
    with pytest.raises(UnreadableBodyError, match="something else than objects"):
        join_records(records)


def test_values_are_found_along_their_path() -> None:
    body = read_body(b'{"meta": {"next": "abc", "more": false, "pages": 3}, "data": []}')
    assert body.value("meta.next") == "abc"
    assert body.value("meta.more") is False
    assert body.value("meta.pages") == 3
    assert body.value("meta.absent") is None
    assert body.value("absent.next") is None
    assert body.value("data.next") is None
    assert read_body(b"[]").value("meta.next") is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb'"cut \ud83d"', rb'"cut \ufffd"'),
        (rb'"cut \uDE00 tail"', rb'"cut \ufffd tail"'),
        (rb'"\ud83d\u0041"', rb'"\ufffd\u0041"'),
        (rb'"whole \ud83d\ude00, cut \ud83d"', rb'"whole \ud83d\ude00, cut \ufffd"'),
        (rb'"no escape \\ud83d, cut \ud83d"', rb'"no escape \\ud83d, cut \ufffd"'),
        (rb'"\\\ud83d"', rb'"\\\ufffd"'),
    ],
)
def test_half_an_emoji_is_replaced_and_reported(sent: bytes, kept: bytes) -> None:
    body = read_body(b'{"data":[{"text":' + sent + b"}]}")
    assert body.was_mended
    assert join_records(body.records("data") or []) == b'{"text":' + kept + b"}"


def test_a_body_without_half_pairs_is_not_touched() -> None:
    body = read_body(rb'{"data":[{"text":"\ud83d\ude00 \\ud83d"}]}')
    assert not body.was_mended
    assert join_records(body.records("data") or []) == rb'{"text":"\ud83d\ude00 \\ud83d"}'


def test_a_field_of_a_record_is_found_along_its_path() -> None:
    record = msgspec.Raw(b'{"id": 7, "owner": {"id": "u1"}}')
    assert field_of(record, "id") == 7
    assert field_of(record, "owner.id") == "u1"
    assert field_of(record, "owner.name") is None
    assert field_of(record, "id.deeper") is None


@pytest.mark.parametrize(
    ("record", "carried"),
    [
        (b'{"id":1}', b'{"account":"a1","id":1}'),
        (b"{}", b'{"account":"a1"}'),
        (b"{ }", b'{"account":"a1"}'),
        (b'{"account":"a1","id":1}', b'{"account":"a1","id":1}'),
        (b'{"note":"my \\"account\\"","id":1}', b'{"account":"a1","note":"my \\"account\\"","id":1}'),
    ],
)
def test_a_child_carries_its_parents_value_once(record: bytes, carried: bytes) -> None:
    assert carry_fields(msgspec.Raw(record), {"account": b'"a1"'}) == carried


def test_a_child_that_has_another_value_under_the_parents_name_stops_the_load() -> None:
    with pytest.raises(DataError, match="another value"):
        carry_fields(msgspec.Raw(b'{"account":"a2"}'), {"account": b'"a1"'})


@pytest.mark.parametrize(
    ("content", "path"), [(b' {"a": 1.10}\n', ""), (b'{"data": {"a": 1.10}, "errors": null}', "data")]
)
def test_one_object_is_a_record_by_itself(content: bytes, path: str) -> None:
    assert [bytes(record) for record in read_body(content).record(path) or []] == [b'{"a": 1.10}']


def test_an_object_that_is_not_there_or_null_is_no_record() -> None:
    assert read_body(b'{"data": null}').record("data") is None
    assert read_body(b'{"other": 1}').record("data") is None


@pytest.mark.parametrize("content", [b'{"data": [{"a": 1}]}', b'{"data": 5}', b'{"data": "text"}'])
def test_something_else_than_an_object_is_told_by_its_sort(content: bytes) -> None:
    with pytest.raises(UnreadableBodyError, match="no object there"):
        read_body(content).record("data")
