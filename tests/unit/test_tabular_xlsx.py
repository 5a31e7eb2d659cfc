"""Workbooks as CSV: values as they are shown, rows and sheets as they are meant."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest

from penstock.artifacts import FileFormat
from penstock.errors import ConfigurationError, DataError
from penstock.sources.tabular import TabularFiles
from tasks.sources.tabular.converting import convert
from tasks.sources.tabular.loadable import Loadable

Cell = Any


def workbook(sheets: dict[str, list[list[Cell]]], formats: dict[str, str] | None = None, *, hidden: str = "") -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for place, number_format in (formats or {}).items():
            sheet[place].number_format = number_format
        sheet.sheet_state = "hidden" if title == hidden else "visible"
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def convert_all(content: bytes, name: str = "plan.xlsx", **settings: Any) -> list[tuple[Loadable, str, int]]:
    found = []
    for loadable in convert(io.BytesIO(content), name, TabularFiles.model_validate(settings)):
        blocks = list(loadable.blocks)
        found.append(
            (loadable, b"".join(block.data for block in blocks).decode(), sum(b.row_count or 0 for b in blocks))
        )
    return found


def rows_of(content: bytes, **settings: Any) -> list[list[str]]:
    [(_, text, count)] = convert_all(content, **settings)
    rows = list(csv.reader(io.StringIO(text)))
    assert count == max(len(rows) - 1, 0)
    return rows


def test_a_sheet_becomes_csv_in_which_an_empty_cell_is_not_an_empty_text() -> None:
    content = workbook({"Plan": [["Agent", "Note"], ["Ann, A.", None], ["Bob", 'says "hi"\nand goes']]})
    [(loadable, text, count)] = convert_all(content)
    assert (loadable.name, loadable.part, loadable.format) == ("plan.xlsx.csv.gz", None, FileFormat.CSV)
    assert text == '"Agent","Note"\n"Ann, A.",\n"Bob","says ""hi""\nand goes"\n'
    assert count == 2


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (1, "General", "1"),
        (7, "00000", "00007"),
        (-7, "000", "-007"),
        (2.0, "General", "2"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567890123, "General", "1234567890123"),
        (1e20, "0.00E+00", "100000000000000000000"),
        (1.5e-7, "General", "0.00000015"),
        (1e300, "General", "1e+300"),
        (0.125, "0%", "0.125"),
        (True, "General", "TRUE"),
        ("00012", "@", "00012"),
        ("=1+1 said he", "@", "=1+1 said he"),
        (datetime.fromisoformat("2026-03-01T00:00"), "yyyy-mm-dd", "2026-03-01"),
        (datetime.fromisoformat("2026-03-01T00:00"), "dd/mm/yy hh:mm", "2026-03-01T00:00:00"),
        (datetime.fromisoformat("2026-03-01T00:00"), '[$-409]d" of the "mmmm', "2026-03-01"),
        (datetime.fromisoformat("2026-03-01T09:30:15"), "yyyy-mm-dd", "2026-03-01T09:30:15"),
        (date(1900, 3, 1), "yyyy-mm-dd", "1900-03-01"),
        (time(8, 15), "h:mm", "08:15:00"),
        (timedelta(hours=26, minutes=30), "[h]:mm:ss", "26:30:00"),
    ],
)
def test_a_value_is_what_the_cell_shows(value: Cell, number_format: str, text: str) -> None:
    content = workbook({"Plan": [["v"], [value]]})
    book = openpyxl.load_workbook(io.BytesIO(content))
    cell = book["Plan"]["A2"]
    if isinstance(value, str):
        cell.data_type = "s"
    cell.number_format = number_format
    file = io.BytesIO()
    book.save(file)
    assert rows_of(file.getvalue()) == [["v"], [text]]


def test_workbooks_that_count_their_days_from_1904_have_the_same_dates() -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["d"])
    book.active.append([datetime.fromisoformat("2026-03-01T12:00")])
    file = io.BytesIO()
    book.save(file)
    assert rows_of(file.getvalue()) == [["d"], ["2026-03-01T12:00:00"]]


def test_rows_are_as_wide_as_the_header_and_empty_ones_are_no_rows() -> None:
    content = workbook({"Plan": [[], ["a", "b", "c"], [1], [], [None, 2, 3, 4], [None, None, None], [5, 6, 7]]})
    assert rows_of(content) == [["a", "b", "c"], ["1", "", ""], ["", "2", "3", "4"], ["5", "6", "7"]]


def test_a_size_that_the_workbook_understates_hides_no_row() -> None:
    content = workbook({"Plan": [["a", "b"], [1, 2], [3, 4]]})
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'ref="A1:B3"', b'ref="A1"'))
    assert rows_of(changed.getvalue()) == [["a", "b"], ["1", "2"], ["3", "4"]]


def test_titles_above_totals_below_and_names_of_ones_own_are_as_the_dataset_says() -> None:
    content = workbook({"Plan": [["Staffing plan"], ["as of Monday"], ["a", "b"], [1, 2], [3, 4], ["Total", 6]]})
    assert rows_of(content, sheet={"skip_rows": 2, "footer_rows": 1}) == [["a", "b"], ["1", "2"], ["3", "4"]]
    named = rows_of(content, sheet={"skip_rows": 3, "footer_rows": 1, "columns": ["x", "y"]})
    assert named == [["x", "y"], ["1", "2"], ["3", "4"]]


def test_a_sheet_of_only_a_header_has_no_rows_and_one_without_a_cell_has_no_bytes() -> None:
    assert rows_of(workbook({"Plan": [["a", "b"]]})) == [["a", "b"]]
    [(loadable, text, count)] = convert_all(workbook({"Plan": []}))
    assert (loadable.name, text, count) == ("plan.xlsx.csv.gz", "", 0)


def test_of_several_sheets_one_has_to_be_named_and_a_hidden_one_does_not_count() -> None:
    both = {"Plan": [["a"], [1]], "Notes": [["b"], [2]]}
    with pytest.raises(ConfigurationError, match="several sheets") as caught:
        convert_all(workbook(both))
    assert caught.value.found == "Plan, Notes"
    assert rows_of(workbook(both, hidden="Notes")) == [["a"], ["1"]]
    assert rows_of(workbook(both), sheet={"name": "Notes"}) == [["b"], ["2"]]
    with pytest.raises(ConfigurationError, match="no such sheet"):
        convert_all(workbook(both), sheet={"name": "Plans"})


def test_a_pattern_reads_several_sheets_each_as_a_file_of_its_own() -> None:
    content = workbook({"2025": [["a"], [1]], "2026": [["a"], [2]], "Notes": [["b"]]})
    found = convert_all(content, sheet={"name": "20*"})
    assert [(loadable.part, loadable.name, text) for loadable, text, _ in found] == [
        ("2025", "plan.xlsx.2025.csv.gz", '"a"\n"1"\n'),
        ("2026", "plan.xlsx.2026.csv.gz", '"a"\n"2"\n'),
    ]


def test_a_formula_without_its_value_is_refused_instead_of_being_null() -> None:
    with pytest.raises(DataError, match="formulas whose values were not saved") as caught:
        convert_all(workbook({"Plan": [["a"], [1], ["=SUM(A2:A2)"]]}))
    assert (caught.value.source_name, caught.value.sheet) == ("plan.xlsx", "Plan")


def test_a_formula_whose_value_was_saved_is_that_value() -> None:
    content = workbook({"Plan": [["a"], [1], ["=SUM(A2:A2)"], ['=""']]})
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            text = text.replace(b"<f>SUM(A2:A2)</f><v></v>", b"<f>SUM(A2:A2)</f><v>1</v>")
            text = text.replace(b"<f>SUM(A2:A2)</f><v />", b"<f>SUM(A2:A2)</f><v>1</v>")
            text = text.replace(b'<c r="A4"><f>', b'<c r="A4" t="str"><f>')
            new.writestr(name, text)
    assert rows_of(changed.getvalue()) == [["a"], ["1"], ["1"]]


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut off", b"a,b\n1,2\n", b""])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="no workbook that can be read"):
        convert_all(content)


def test_an_encrypted_or_old_workbook_is_refused_with_what_to_do() -> None:
    with pytest.raises(DataError, match=r"saved as \.xlsx without a password"):
        convert_all(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(512))


def test_a_zipped_workbook_is_read_like_a_plain_one() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("in/plan.xlsx", workbook({"Plan": [["a"], [datetime.fromisoformat("2026-03-01T00:00")]]}))
    [(loadable, text, count)] = convert_all(archive.getvalue(), "drop.zip")
    assert (loadable.part, loadable.name) == ("in/plan.xlsx", "drop.zip.in/plan.xlsx.csv.gz")
    assert (text, count) == ('"a"\n"2026-03-01T00:00:00"\n', 1)


def test_memory_does_not_grow_with_the_rows() -> None:
    import tracemalloc

    def peak(rows: int) -> int:
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Plan")
        for number in range(rows):
            sheet.append([number, number * 0.5, "same text"])
        file = io.BytesIO()
        book.save(file)
        tracemalloc.start()
        for loadable in convert(file, "plan.xlsx", TabularFiles()):
            for block in loadable.blocks:
                gzip.compress(block.data, 1)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    convert_all(workbook({"Plan": [["a"]]}))
    assert peak(8_000) < peak(1_000) + 4 * (1 << 20)
