"""Gmail: the window, headers as they should not be, parts, and which of them are attachments."""

from __future__ import annotations

import base64
import json
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from penstock.artifacts import Interval
from penstock.sources.gmail import GmailDataset
from tasks.sources.gmail.attachments import decode_data
from tasks.sources.gmail.choosing import chosen_parts
from tasks.sources.gmail.message import Body, decode_words, filename_of, parts_of, read_message, row_of
from tasks.sources.gmail.period import is_within, search_terms
from tasks.sources.http.failures import UnreadableBodyError

START = datetime(2026, 3, 8, 5, tzinfo=UTC)
AS_OF = datetime(2026, 3, 10, tzinfo=UTC)
FULL = Interval(start=None, end=None, as_of=AS_OF)


def _interval(start: datetime = START, hours: float = 23) -> Interval:
    return Interval(start=start, end=start + timedelta(hours=hours), as_of=AS_OF)


def _message(payload: dict[str, Any] | None = None, **changed: Any) -> bytes:
    message = {"id": "18c0", "threadId": "18bf", "labelIds": ["INBOX"], "snippet": "private words"}
    message |= {"internalDate": "1772946000123", "historyId": "18446744073709551615", "payload": payload or {}}
    return json.dumps(message | changed).encode()


def _file(filename: str, mime_type: str = "text/csv", **headers: str) -> dict[str, Any]:
    written = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    body = {"attachmentId": "x", "size": 1}
    return {"partId": "1", "mimeType": mime_type, "filename": filename, "headers": written, "body": body}


def _chosen(parts: list[dict[str, Any]], **dataset: Any) -> list[str]:
    spec = GmailDataset.model_validate({"name": "x", "resource": "attachments", **dataset})
    message = read_message(_message({"mimeType": "multipart/mixed", "parts": parts}))
    return [name for name, _ in chosen_parts(message.payload, spec)]


def test_the_search_holds_at_least_the_interval_in_epoch_seconds() -> None:
    assert search_terms(_interval()) == "after:1772945999 before:1773028801"
    assert search_terms(_interval(START + timedelta(milliseconds=500), 1)) == "after:1772945999 before:1772949602"
    assert search_terms(FULL) == ""


@pytest.mark.parametrize(
    ("milliseconds", "expected"), [(-1, False), (0, True), (23 * 3_600_000 - 1, True), (23 * 3_600_000, False)]
)
def test_a_message_is_in_the_interval_to_the_millisecond(milliseconds: int, expected: bool) -> None:
    arrived = str(int(START.timestamp()) * 1000 + milliseconds)
    assert is_within(arrived, _interval()) is expected
    assert is_within(arrived, FULL)


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 10**9), st.integers(0, 999))
def test_what_is_in_the_interval_is_found_by_the_search(start: int, length: int, offset: int) -> None:
    first = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=start)
    interval = Interval(start=first, end=first + timedelta(milliseconds=length), as_of=AS_OF)
    arrived = start + offset * length // 1000
    after, before = (int(term.partition(":")[2]) for term in search_terms(interval).split())
    assert is_within(str(arrived), interval)
    assert after < arrived // 1000 + 1
    assert arrived // 1000 < before


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Daily report", "Daily report"),
        ("=?utf-8?Q?Caf=C3=A9?= au lait", "Café au lait"),
        # One letter's bytes in two words.
        ("=?utf-8?Q?=C3?= =?utf-8?Q?=A9t=C3=A9?=", "été"),
        ("=?iso-8859-1?Q?gr=FC=DFe?=", "grüße"),
        ("=?x-martian?Q?caf=C3=A9?=", "café"),
        ("=?utf-8?Q?broken=E9?=", "broken\N{REPLACEMENT CHARACTER}"),
        ("=?utf-8?B?w?= after", "=?utf-8?B?w?= after"),
        ("grüße =?utf-8?Q?=C3=A9?= \\u0041", "grüße é \\u0041"),
        ("=?not?a?word", "=?not?a?word"),
        ("=?utf-7?Q?half_+2AA-?=", "half \N{REPLACEMENT CHARACTER}"),
    ],
)
def test_headers_are_decoded_as_far_as_they_can_be(written: str, read: str) -> None:
    assert decode_words(written) == read


def test_a_row_has_the_apis_own_fields_and_the_headers_and_nothing_of_the_content() -> None:
    headers = [
        {"name": "SUBJECT", "value": "=?utf-8?Q?=C3=9Cber?="},
        {"name": "From", "value": "a@b.example"},
        {"name": "To", "value": "c@d.example"},
        {"name": "to", "value": "e@f.example"},
        {"name": "X-Secret", "value": "hidden"},
    ]
    payload = {"headers": headers, "body": {"data": "c2VjcmV0", "size": 6}}
    message = read_message(_message(payload, brandNew=1.50))
    row = json.loads(row_of(message, "me@b.example", with_snippet=False))
    assert row == {
        "mailbox": "me@b.example",
        "id": "18c0",
        "threadId": "18bf",
        "labelIds": ["INBOX"],
        "internalDate": "1772946000123",
        "historyId": "18446744073709551615",
        "brandNew": 1.5,
        "subject": "Über",
        "from": "a@b.example",
        "to": "c@d.example, e@f.example",
        "cc": None,
        "date": None,
        "messageId": None,
    }
    assert json.loads(row_of(message, "me", with_snippet=True))["snippet"] == "private words"


def test_half_a_utf_16_pair_in_a_header_costs_a_letter_and_not_the_message() -> None:
    headers = '{"headers": [{"name": "Subject", "value": "cut \\ud83d"}]}'
    content = _message().replace(b'"payload": {}', f'"payload": {headers}'.encode())
    row = json.loads(row_of(read_message(content), "me", with_snippet=False))
    assert row["subject"] == "cut \N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("content", [b"{}", b"[]", b'{"id": "1", "internalDate": "soon"}', b"Sorry"])
def test_what_is_no_message_is_asked_for_again(content: bytes) -> None:
    with pytest.raises(UnreadableBodyError):
        read_message(content)


def test_all_parts_are_found_however_deep_they_lie_and_a_bottomless_message_ends() -> None:
    part: dict[str, Any] = {"partId": "deepest", "filename": "x.csv", "body": {"data": "eA", "size": 1}}
    for depth in range(12):
        part = {"partId": str(depth), "mimeType": "multipart/mixed", "headers": None, "parts": [part]}
    message = read_message(_message(part))
    assert [one.part_id for one in parts_of(message.payload)][-1] == "deepest"
    for _ in range(60):
        part = {"parts": [part]}
    assert len(list(parts_of(read_message(_message(part)).payload))) == 51


def test_attachments_are_files_and_no_pictures_that_the_text_shows() -> None:
    parts = [
        {"partId": "0", "mimeType": "text/plain", "filename": "", "body": {"data": "aGk", "size": 2}},
        _file("logo.png", "image/png", Content_Disposition="inline; filename=logo.png"),
        _file("cid.png", "image/png", Content_ID="<logo>"),
        _file("photo.png", "image/png", Content_Disposition="ATTACHMENT; filename=photo.png", Content_ID="<p>"),
        # Some mail programs call every file inline.
        _file("report.csv", "text/csv", Content_Disposition="inline"),
        _file("", "text/csv"),
    ]
    assert _chosen(parts, content_types=["*"]) == ["photo.png", "report.csv", "part-1"]


def test_attachments_are_chosen_by_name_and_by_type_whatever_their_case() -> None:
    parts = [_file("CSAT_1.CSV", "Text/CSV"), _file("csat_2.csv", "application/octet-stream"), _file("other.csv")]
    assert _chosen(parts, filenames=["csat_*.csv"]) == ["CSAT_1.CSV", "csat_2.csv"]
    assert _chosen(parts, content_types=["text/*"]) == ["CSAT_1.CSV", "other.csv"]
    assert _chosen(parts, filenames=["csat_*"], content_types=["text/csv"]) == ["CSAT_1.CSV"]


def test_a_name_that_writes_its_umlauts_as_two_characters_each_is_found() -> None:
    sent = unicodedata.normalize("NFD", "Übersicht_1.csv")
    assert _chosen([_file(sent)], filenames=["übersicht_*.csv"]) == [sent]
    assert _chosen([_file("Übersicht_1.csv")], filenames=[unicodedata.normalize("NFD", "Übersicht_*")]) == [
        "Übersicht_1.csv"
    ]


def test_two_attachments_of_one_name_are_told_apart() -> None:
    parts = [_file("a.csv") | {"partId": "1"}, _file("a.csv") | {"partId": "2"}]
    assert _chosen(parts, filenames=["*.csv"]) == ["a.csv", "2-a.csv"]


def test_an_encoded_file_name_is_decoded() -> None:
    part = read_message(_message(_file("=?utf-8?Q?Bericht_=C3=BC.csv?="))).payload
    assert filename_of(part) == "Bericht ü.csv"


@given(st.binary(max_size=300), st.booleans())
def test_bytes_come_out_of_url_safe_base64_with_or_without_padding(content: bytes, padded: bool) -> None:
    data = base64.urlsafe_b64encode(content).decode()
    assert decode_data(Body(data=data if padded else data.rstrip("="), size=len(content))) == content


@pytest.mark.parametrize(("data", "size"), [("aGVsbG8", 6), ("aGVsbG8", 4), ("a", 0), ("aGV$bG8", 5), (None, 1)])
def test_an_attachment_that_was_cut_is_asked_for_again(data: str | None, size: int) -> None:
    with pytest.raises(UnreadableBodyError):
        decode_data(Body(data=data, size=size))


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        ({"resource": "messages", "query": "from:a after:2026/01/01"}, "the window does"),
        ({"resource": "messages", "query": "newer_than:2d"}, "the window does"),
        ({"resource": "attachments"}, "which attachments are meant"),
        ({"resource": "messages", "filenames": ["*.csv"]}, "`filenames` is about attachments"),
        ({"resource": "messages", "format": "csv"}, "`format` is about attachments"),
        ({"resource": "attachments", "filenames": ["*"], "snippet": True}, "`snippet` is about messages"),
        ({"resource": "attachments", "filenames": ["*"], "format": "fixed_width"}, "widths"),
    ],
)
def test_a_dataset_that_contradicts_itself_is_refused(dataset: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        GmailDataset.model_validate({"name": "x", **dataset})
