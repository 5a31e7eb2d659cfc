"""Google Sheets: everything that is odd in a spreadsheet, against the emulated API."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from penstock.artifacts import Interval
from penstock.connections import GoogleConnection
from penstock.errors import DataError, RateLimitedError, RejectedError, TransientError
from penstock.sources.google_sheets import SheetsDataset, SheetsSource
from sandbox.clock import Clock
from sandbox.google.settings import (
    EXCEL_FILE,
    ODD_SPREADSHEET,
    PRIVATE_SPREADSHEET,
    ROSTER_SPREADSHEET,
    GoogleSettings,
)
from sandbox.google.sheets.odd_book import WIDE_ROWS
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.sources.contract import ExtractRequest
from tasks.sources.google_sheets.extract import extract
from tasks.sources.http.policy import Clock as HttpClock
from tests.fakes.clock import FakeTime
from tests.fakes.google_api import ask, refresh_token_connection, service_account_connection, sign_in
from tests.fakes.scripted_api import Answer, Asked, scripted_api
from tests.fakes.sink import MemorySink

NOW = "2026-03-20T12:00:00Z"
EVERYTHING = Interval(start=None, end=None, as_of=datetime(2026, 3, 20, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve(SandboxSettings(clock=Clock(NOW))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    server.clock.set(NOW)
    return server


def _extract(
    url: str,
    spreadsheet: str = ODD_SPREADSHEET,
    *,
    connection: GoogleConnection | None = None,
    clock: HttpClock | None = None,
    **dataset: Any,
) -> MemorySink:
    sink = MemorySink()
    spec = SheetsDataset.model_validate({"name": "cells", "spreadsheet": spreadsheet, **dataset})
    request = ExtractRequest(
        SheetsSource(kind="google_sheets", connection="acme-google"), spec, EVERYTHING, "acme-google"
    )
    made = connection or refresh_token_connection(url)
    extract(request, made, sink, clock=clock or FakeTime(wall=time.time()).clock)
    return sink


def _table(sink: MemorySink, name: str = "") -> list[list[str]]:
    (file,) = [file for file in sink.files if name in file.source_name]
    rows = list(csv.reader(io.StringIO(file.data.decode(), newline="")))
    assert file.row_count == len(rows) - 1
    return rows


def test_a_sheet_with_everything_odd_keeps_every_value(sandbox: Sandbox) -> None:
    sink = _extract(sandbox.url, sheets=['It\'s "odd"'], row_number=True)
    header, *rows = _table(sink)
    assert header == ["_row", "Name", "Name", "column_3", "Padded", "Größe", "column_6", "select", "column_8"]
    assert rows == [
        ["2", "Ann", "second", "under no name", "x", "über", "", "s1", ""],
        ["3", "Bob", "", "", "", "", "", "", ""],
        ["4", "", "", "", "", "only here", "", "", ""],
        ["6", "007", "line\nbreak", 'quote " and, comma', "\t", "=1+1", "", "s5", "beyond the header"],
        ["7", "#N/A", "#DIV/0!", "-0.5", "1e+21", "12345678901234567890", "", "", ""],
    ]
    (file,) = sink.files
    assert file.source_name == 'Odd/ends/It\'s "odd"'


def test_a_title_that_looks_like_a_cell_is_a_sheet(sandbox: Sandbox) -> None:
    assert _table(_extract(sandbox.url, sheets=["ABC123"])) == [["a", "b"], ["1", "2"]]


def test_a_sheet_without_rows_and_one_with_a_header_alone_are_no_error(sandbox: Sandbox) -> None:
    sink = _extract(sandbox.url, sheets=["Empty", "Header only"])
    assert _table(sink) == [["id", "name"]]
    assert sink.row_count == 0
    assert sink.warnings == ["Empty has no header in row 1: nothing was read"]


def test_a_header_further_down_is_found_where_the_dataset_says(sandbox: Sandbox) -> None:
    header, *rows = _table(_extract(sandbox.url, sheets=["Titled"], header_row=3))
    assert header == ["column_1", "Region", "Calls", "Share"]
    assert rows == [["", "North", "12", "0.25"], ["", "South", "36", "0.75"]]


def test_a_merged_header_of_two_rows_is_read_as_one(sandbox: Sandbox) -> None:
    header, *rows = _table(_extract(sandbox.url, ROSTER_SPREADSHEET, sheets=["Targets"], header_rows=2))
    assert header == [
        "Team",
        "Service level Target",
        "Service level Within seconds",
        "Handle time Target seconds",
        "Handle time Ceiling seconds",
    ]
    assert rows[2] == ["Mail", "0.9", "14400", "420", "600"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["1", "007", "1234.5", "0.5", "true", "46110", "46110.104340277781", "1"]),
        ({"dates": "formatted"}, ["1", "007", "1234.5", "0.5", "true", "3/29/2026", "03/29/2026 02:30:15", "1"]),
        ({"values": "formatted"}, ["1", "007", "$1,234.50", "0.5", "TRUE", "3/29/2026", "03/29/2026 02:30:15", "1"]),
        (
            {"serial_dates": ["day", "at"]},
            ["1", "007", "1234.5", "0.5", "true", "2026-03-29", "2026-03-29T02:30:15", "1"],
        ),
    ],
)
def test_values_come_as_they_are_or_as_they_are_shown(
    sandbox: Sandbox, options: dict[str, Any], expected: list[str]
) -> None:
    row = _table(_extract(sandbox.url, sheets=["Types"], **options))[1]
    assert [cell[:12] for cell in row[:8]] == [cell[:12] for cell in expected]
    assert row[8:] == [""]


def test_formulas_come_where_they_are_asked_for(sandbox: Sandbox) -> None:
    plan = {"sheets": ["FTE 2026-Q1"], "serial_dates": []}
    values = _table(_extract(sandbox.url, ROSTER_SPREADSHEET, **plan))
    formulas = _table(_extract(sandbox.url, ROSTER_SPREADSHEET, values="formula", **plan))
    assert formulas[1][4] == "=C2-D2"
    assert float(values[1][4]) == pytest.approx(float(values[1][2]) - float(values[1][3]))
    assert values[-1][:3] == ["Total", "", "#REF!"]


def test_a_row_of_formulas_that_show_nothing_is_no_row(sandbox: Sandbox) -> None:
    assert _table(_extract(sandbox.url, sheets=["Formulas = blanks"])) == [["id", "note"], ["1", "x"]]


def test_patterns_read_each_visible_sheet_and_leave_charts_out(sandbox: Sandbox) -> None:
    def names(**dataset: Any) -> list[str]:
        return [file.source_name for file in _extract(sandbox.url, ROSTER_SPREADSHEET, **dataset).files]

    quarters = ["Agent roster/FTE 2026-Q1", "Agent roster/FTE 2025-Q4"]
    assert names(sheets=["FTE *"]) == quarters
    assert names(sheets=["FTE *"], include_hidden=True) == [*quarters, "Agent roster/FTE draft"]
    assert names(sheets=["FTE draft"]) == ["Agent roster/FTE draft"]
    assert "Agent roster/Chart" not in names(sheets=["*"])


def test_several_sheets_are_asked_for_at_once(sandbox: Sandbox) -> None:
    _extract(sandbox.url, ROSTER_SPREADSHEET, sheets=["Agents", "FTE *"])
    asked = [request.path.rsplit("/", 1)[-1] for request in sandbox.log.requests("/google/v4/*")]
    assert asked == [ROSTER_SPREADSHEET, "values:batchGet"]
    assert sandbox.log.requests("/google/v4/*")[1].query.count("ranges=") == 3


def test_a_large_sheet_arrives_whole_from_several_requests(sandbox: Sandbox) -> None:
    header, *rows = _table(_extract(sandbox.url, sheets=["Large"], row_number=True))
    assert len(header) == 61
    assert [row[1] for row in rows] == [str(number) for number in range(1, WIDE_ROWS + 1)]
    assert rows[-1][:3] == [str(WIDE_ROWS + 1), str(WIDE_ROWS), f"v{WIDE_ROWS}"]
    assert len(sandbox.log.requests("*batchGet")) == 4


@pytest.mark.parametrize("is_edited", [False, True], ids=["as-it-was", "a-row-deleted-meanwhile"])
def test_a_large_sheet_that_changes_between_its_requests_is_worth_another_try(is_edited: bool) -> None:
    rows = [[number, f"v{number}"] for number in range(60_000)]

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return Answer({"access_token": "t", "expires_in": 3599})
        if not asked.path.endswith("batchGet"):
            grid = {"rowCount": len(rows), "columnCount": 2}
            growing = {"rowCount": 5 + asked.number, "columnCount": 1}
            sheets = [
                {"properties": {"title": title, "gridProperties": size}}
                for title, size in (("A", grid), ("B", growing))
            ]
            return Answer({"properties": {"title": "T"}, "sheets": sheets})
        first, _, last = asked.query["ranges"].partition("!")[2].partition(":")
        found = rows[int(first[1:]) - 1 : int(last[1:])]
        if is_edited and first == "A1":
            del rows[10]
        return Answer({"valueRanges": [{"range": f"A!{first}:{last}", "values": found}]})

    with scripted_api(answer) as api:
        if is_edited:
            with pytest.raises(TransientError, match="changed while it was read") as caught:
                _extract(api.url, sheets=["A"])
            assert caught.value.spreadsheet
            assert caught.value.sheet == "A"
        else:
            assert [row[0] for row in _table(_extract(api.url, sheets=["A"]))] == [str(row[0]) for row in rows]
        assert sum(path.endswith("batchGet") for path in api.paths()) == 2


def test_a_header_far_down_is_found_by_its_row_though_empty_rows_before_a_block_are_left_out() -> None:
    grid = {"rowCount": 10_000, "columnCount": 20}
    layout = {"properties": {"title": "T"}, "sheets": [{"properties": {"title": "A", "gridProperties": grid}}]}
    blocks = {"A1": {"values": [["a note"]]}, "A5001": {"values": [[], ["id"], ["1"]]}}

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return Answer({"access_token": "t", "expires_in": 3599})
        if not asked.path.endswith("batchGet"):
            return Answer(layout)
        start = asked.query["ranges"].partition("!")[2].partition(":")[0]
        return Answer({"valueRanges": [{"range": f"A!{start}:T9", **blocks[start]}]})

    with scripted_api(answer) as api:
        sink = _extract(api.url, sheets=["A"], header_row=5_002, row_number=True)
        assert _table(sink) == [["_row", "id"], ["5003", "1"]]
        assert _extract(api.url, sheets=["A"], header_row=2).files == []


def test_ranges_and_named_ranges_are_read_from_where_they_begin(sandbox: Sandbox) -> None:
    sink = _extract(sandbox.url, ranges=["Titled!B3:C", "Totals"], row_number=True)
    expected = [["_row", "Region", "Calls"], ["4", "North", "12"], ["5", "South", "36"]]
    assert _table(sink, "B3:C") == expected
    assert [row[:3] for row in _table(sink, "Totals")] == expected


def test_hints_say_which_types_silver_may_cast_to(sandbox: Sandbox) -> None:
    (hint,) = _extract(sandbox.url, sheets=["Types"], type_hints=True).warnings
    assert hint == (
        "Types: id integer, code text, amount number, ratio number, ok boolean, day text, at timestamp (serial), "
        "mixed text, nothing empty"
    )


def test_a_column_of_dates_that_is_not_there_is_told(sandbox: Sandbox) -> None:
    sink = _extract(sandbox.url, sheets=["ABC123"], serial_dates=["Born on"])
    assert sink.warnings == ["ABC123 has no column Born on, which `serial_dates` names"]


def test_a_sheet_that_was_renamed_is_an_error_that_names_the_near_one(sandbox: Sandbox) -> None:
    with pytest.raises(DataError, match="Did you mean Agents") as caught:
        _extract(sandbox.url, ROSTER_SPREADSHEET, sheets=["Agent"])
    assert (caught.value.connection, caught.value.spreadsheet) == ("acme-google", ROSTER_SPREADSHEET)


@pytest.mark.parametrize(
    ("spreadsheet", "dataset", "guidance"),
    [
        (PRIVATE_SPREADSHEET, {"sheets": ["A"]}, "share it"),
        ("1ThereIsNoSuchSpreadsheet", {"sheets": ["A"]}, "browser"),
        (EXCEL_FILE, {"sheets": ["A"]}, "save it as a spreadsheet"),
        (ODD_SPREADSHEET, {"ranges": ["Nowhere!A1:B2"]}, "named ranges"),
        (ODD_SPREADSHEET, {"ranges": ["Titled!A2000:B"]}, "named ranges"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(
    sandbox: Sandbox, spreadsheet: str, dataset: dict[str, Any], guidance: str
) -> None:
    with pytest.raises(RejectedError, match=guidance) as caught:
        _extract(sandbox.url, spreadsheet, **dataset)
    assert caught.value.spreadsheet == spreadsheet


def test_a_service_account_reads_what_was_shared_with_it(sandbox: Sandbox) -> None:
    connection = service_account_connection(sandbox.url)
    assert len(_table(_extract(sandbox.url, ROSTER_SPREADSHEET, connection=connection, sheets=["Agents"]))) == 29


def test_the_quota_is_kept_and_a_429_waits_for_the_next_minute() -> None:
    google = GoogleSettings(reads_per_minute=3)
    with serve(SandboxSettings(clock=Clock(NOW), google=google)) as sandbox:
        passing = FakeTime(wall=time.time())
        connection = refresh_token_connection(sandbox.url).model_copy(update={"sheets_reads_per_minute": 2})
        for number in range(2):
            if number == 1:
                sandbox.reset()
            _extract(sandbox.url, ROSTER_SPREADSHEET, connection=connection, clock=passing.clock, sheets=["Agents"])
        assert sum(passing.slept) == pytest.approx(60)
        with pytest.raises(RateLimitedError) as caught:
            _extract(sandbox.url, clock=passing.clock, sheets=["Large"])
        assert caught.value.attempts == 6
        assert sum(passing.slept) > 70


def test_a_short_answer_is_asked_for_again_and_then_an_error() -> None:
    layout = {"properties": {"title": "T"}, "sheets": [{"properties": {"title": "A"}}, {"properties": {"title": "B"}}]}
    for sheet in layout["sheets"]:
        sheet["properties"]["gridProperties"] = {"rowCount": 5, "columnCount": 5}  # type: ignore[index]

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("/token"):
            return Answer({"access_token": "t", "expires_in": 3599})
        if asked.path.endswith("batchGet"):
            return Answer({"valueRanges": [{"range": "A!A1:E5", "values": [["id"], [1]]}]})
        return Answer(layout)

    with scripted_api(answer) as api, pytest.raises(DataError, match="the ranges") as caught:
        _extract(api.url, sheets=["A", "B"])
    assert (caught.value.asked, caught.value.answered) == (2, 1)
    assert sum(path.endswith("batchGet") for path in api.paths()) == 3


def test_the_roster_changes_with_the_months_and_ends_with_who_left(sandbox: Sandbox) -> None:
    def teams() -> dict[str, str]:
        header, *rows = _table(_extract(sandbox.url, ROSTER_SPREADSHEET, sheets=["Agents"]))
        assert header[2:4] == ["E-mail", "Team"]
        return {row[2].strip().lower(): row[3] for row in rows}

    march = teams()
    sandbox.clock.set("2026-04-20T12:00:00Z")
    april = teams()
    assert march.keys() == april.keys()
    assert 4 <= sum(march[email] != april[email] for email in march) <= 8


def test_the_emulation_answers_one_range_by_column_and_refuses_unknown_options(sandbox: Sandbox) -> None:
    with httpx.Client(headers=sign_in(sandbox.url), timeout=30) as client:
        url = f"{sandbox.url}/google/v4/spreadsheets/{ODD_SPREADSHEET}"
        columns = ask(client, f"{url}/values/'ABC123'!A1:B2", majorDimension="COLUMNS")
        assert columns == {"range": "'ABC123'!A1:B2", "majorDimension": "COLUMNS", "values": [["a", "1"], ["b", "2"]]}
        assert ask(client, f"{url}/values/Empty") == {"range": "Empty!A1:Z1000", "majorDimension": "ROWS"}
        whole = ask(client, url)
        assert "data" not in whole["sheets"][0]
        refused = client.get(f"{url}/values/Empty", params={"valueRenderOption": "PRETTY"})
        assert refused.status_code == 400
        assert refused.json()["error"]["status"] == "INVALID_ARGUMENT"
