"""Google Sheets: places, serial dates, headers, ragged rows, hints, and which sheets are meant."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from penstock.errors import DataError
from penstock.sources.google_sheets import SheetsDataset
from tasks.sources.google_sheets.a1 import column_letters, quote_title, rows_range, start_of
from tasks.sources.google_sheets.hints import TypeHints, date_formats, shape_of
from tasks.sources.google_sheets.layout import CELLS_PER_REQUEST, Merge, read_layout, targets_of
from tasks.sources.google_sheets.table import Header, Table, read_header
from tasks.sources.google_sheets.values import cell_text, serial_to_iso
from tasks.sources.http.failures import UnreadableBodyError

ID = "1AbCdEfGhIjKlMnOp"


def _dataset(**fields: Any) -> SheetsDataset:
    return SheetsDataset.model_validate({"name": "x", "spreadsheet": ID, **fields})


def _rows(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(table.records()).decode(), newline="")))


def _layout(*sheets: dict[str, Any]) -> bytes:
    return msgspec.json.encode(
        {"properties": {"title": "Book"}, "sheets": [{"properties": properties} for properties in sheets]}
    )


SHEETS = (
    {"title": "Plan 1", "gridProperties": {"rowCount": 10, "columnCount": 3}},
    {"title": "Plan [old]", "gridProperties": {"rowCount": 10, "columnCount": 3}},
    {"title": "Plan 2", "hidden": True, "gridProperties": {"rowCount": 10, "columnCount": 3}},
    {"title": "Plan chart", "sheetType": "OBJECT"},
    {"title": "Large", "gridProperties": {"rowCount": 10_001, "columnCount": 20}},
)


@pytest.mark.parametrize(("number", "letters"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")])
def test_columns_have_letters(number: int, letters: str) -> None:
    assert column_letters(number) == letters
    assert start_of(f"S!{letters}7:{letters}9").column == number


@pytest.mark.parametrize(
    ("answered", "place"),
    [
        ("Sheet1!A1:B3", (1, 1)),
        ("'Q1 Data'!B12:D40", (12, 2)),
        ("'It''s! odd'!C5", (5, 3)),
        ("'a\nb'!A2:A", (2, 1)),
        ("Sheet1!B:C", (1, 2)),
    ],
)
def test_an_answer_says_where_its_range_begins(answered: str, place: tuple[int, int]) -> None:
    assert start_of(answered) == place


def test_titles_are_quoted() -> None:
    assert quote_title("It's") == "'It''s'"
    assert rows_range("ABC123", first=1, last=20, columns=28) == "'ABC123'!A1:AB20"


@pytest.mark.parametrize(
    ("serial", "iso"),
    [
        ("25569", "1970-01-01"),
        ("46023", "2026-01-01"),
        ("46023.5", "2026-01-01T12:00:00"),
        ("46110.10434027778", "2026-03-29T02:30:15"),
        ("0.25", "06:00:00"),
        ("0", "00:00:00"),
        ("1", "1899-12-31"),
        # Lotus 1-2-3 counted a 29 February 1900, which Sheets does not.
        ("60", "1900-02-28"),
        ("61", "1900-03-01"),
        ("2958465", "9999-12-31"),
        ("2958466", "2958466"),
        ("-1", "-1"),
        ("spring", "spring"),
        ("", ""),
        ("4.6023E4", "2026-01-01"),
        ("46023.0000115741", "2026-01-01T00:00:01"),
    ],
)
def test_serial_numbers_are_dates_and_what_is_none_stays(serial: str, iso: str) -> None:
    assert serial_to_iso(serial) == iso


@given(st.datetimes(datetime.fromisoformat("1900-01-01"), datetime.fromisoformat("2200-01-01")))
def test_a_serial_number_gives_its_second_back(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    passed = moment - datetime.fromisoformat("1899-12-30")
    iso = serial_to_iso(repr(passed.days + passed.seconds / 86_400))
    assert abs(datetime.fromisoformat(iso) - moment) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (b'"a\\nb"', "a\nb"),
        (b"46023.50", "46023.50"),
        (b"12345678901234567890", "12345678901234567890"),
        (b"true", "true"),
        (b"null", ""),
        (b'""', ""),
    ],
)
def test_a_cell_is_the_text_that_the_api_wrote(written: bytes, text: str) -> None:
    assert cell_text(msgspec.Raw(written)) == text


def test_a_merged_header_counts_for_all_that_it_covers() -> None:
    merges = [Merge(0, 2, 0, 1), Merge(0, 1, 1, 3), Merge(7, 8, 0, 5)]
    rows = [["Team", "Calls"], ["", "In", "Out"]]
    assert read_header(rows, merges).names == ("Team", "Calls In", "Calls Out")
    # Google leaves the covered cells at a row's end out.
    assert read_header([["Q1", ""]], [Merge(0, 1, 0, 4)]).names == ("Q1", "Q1", "Q1", "Q1")
    assert read_header([["", "x"]], [Merge(0, 1, 2, 9)]).names == ("", "x")


def test_a_header_further_down_is_merged_by_its_own_rows() -> None:
    assert read_header([["A", "", "B"]], [Merge(4, 5, 0, 2)], first_row=4).names == ("A", "A", "B")


def test_ragged_rows_are_as_wide_as_the_widest_and_blank_ones_are_left_out() -> None:
    table = Table(Header(("id", "", "note")))
    for number, cells in enumerate([["1"], ["", "", ""], [], ["2", "", "x", "stray"]], start=2):
        table.add(number, cells)
    assert _rows(table) == [["id", "column_2", "note", "column_4"], ["1", "", "", ""], ["2", "", "x", "stray"]]


def test_values_that_break_naive_writers_come_back_as_they_were() -> None:
    hostile = ["line\nbreak", "carriage\rreturn", 'quote " and, comma', " spaces ", "\t", "'", "ü", "=1+1"]
    table = Table(Header(("a",) * len(hostile)))
    table.add(2, hostile)
    assert _rows(table)[1] == hostile


def test_a_row_number_is_the_one_in_the_sheet() -> None:
    table = Table(Header(("id",)), with_row_numbers=True)
    table.add(2, ["a"])
    table.add(3, [""])
    table.add(4, ["b"])
    assert _rows(table) == [["_row", "id"], ["2", "a"], ["4", "b"]]


def test_serial_numbers_become_dates_in_the_columns_that_are_named() -> None:
    table = Table(Header(("day", "count")), serial_dates=["day"])
    table.add(2, ["46023", "46023"])
    assert _rows(table)[1] == ["2026-01-01", "46023"]


@pytest.mark.parametrize(
    ("cell", "shape"),
    [
        ("7", "integer"),
        ("-0.5", "number"),
        ("1e+21", "number"),
        ("007", "text"),
        ("true", "boolean"),
        ("2026-03-29", "date"),
        ("2026-03-29T02:30:15.123", "timestamp"),
        ("#N/A", "text"),
    ],
)
def test_a_cells_shape_is_guessed(cell: str, shape: str) -> None:
    assert shape_of(cell) == shape


def test_hints_name_each_columns_type_and_know_dates_by_their_format() -> None:
    hints = TypeHints({1: "date"})
    hints.add(["1", "46023", "1", "x"])
    hints.add(["2.5", "46024", "x", ""])
    header = Header(("amount", "day", "mixed"))
    assert hints.describe(header, 5) == "amount number, day date (serial), mixed text, column_4 text, column_5 empty"


def test_formats_are_read_from_the_first_row() -> None:
    cell = {"effectiveFormat": {"numberFormat": {"type": "DATE_TIME"}}}
    answer = {"sheets": [{"data": [{"rowData": [{"values": [{}, cell]}, {"values": [cell]}]}]}]}
    assert date_formats(msgspec.json.encode(answer)) == [{1: "timestamp"}]
    assert date_formats(b'{"sheets": [{"data": [{}]}]}') == [{}]
    assert date_formats(b"{}") == []


def test_patterns_find_what_can_be_seen_and_titles_find_what_is_hidden() -> None:
    layout = read_layout(_layout(*SHEETS))

    def names(*patterns: str, **more: Any) -> list[str]:
        return [target.name for target in targets_of(layout, _dataset(sheets=patterns, **more))]

    assert names("Plan ?") == ["Plan 1"]
    assert names("Plan ?", include_hidden=True) == ["Plan 1", "Plan 2"]
    assert names("Plan 2", "Plan 1") == ["Plan 1", "Plan 2"]
    assert names("Plan [old]") == ["Plan [old]"]


@pytest.mark.parametrize(("pattern", "guidance"), [("Plann 1", "Did you mean Plan 1"), ("Zzz *", "renamed")])
def test_a_sheet_that_is_not_there_is_an_error(pattern: str, guidance: str) -> None:
    with pytest.raises(DataError, match=guidance):
        targets_of(read_layout(_layout(*SHEETS)), _dataset(sheets=[pattern]))


def test_a_large_sheet_is_asked_for_in_blocks_that_meet() -> None:
    (target,) = targets_of(read_layout(_layout(*SHEETS)), _dataset(sheets=["Large"]))
    assert target.ranges == ("'Large'!A1:T5000", "'Large'!A5001:T10000", "'Large'!A10001:T10001")
    assert target.cell_count == 200_020 > CELLS_PER_REQUEST


@pytest.mark.parametrize("content", [b"{}", b'{"properties": {}, "sheets": 1}', b"<html>"])
def test_what_is_no_spreadsheet_is_asked_for_again(content: bytes) -> None:
    with pytest.raises(UnreadableBodyError):
        read_layout(content)


@pytest.mark.parametrize(
    "written",
    [ID, f"https://docs.google.com/spreadsheets/d/{ID}/edit#gid=0", f"https://docs.google.com/spreadsheets/u/1/d/{ID}"],
)
def test_a_spreadsheet_is_its_id_or_its_address(written: str) -> None:
    assert _dataset(spreadsheet=written, sheets=["A"]).spreadsheet == ID


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sheets": ["A"], "ranges": ["A!A1:B2"]},
        {"sheets": ["A"], "spreadsheet": "https://example.com/x"},
        {"sheets": ["A"], "serial_dates": ["Day"], "values": "formatted"},
        {"sheets": ["A"], "serial_dates": ["Day"], "dates": "formatted"},
    ],
)
def test_a_dataset_that_contradicts_itself_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _dataset(**fields)
