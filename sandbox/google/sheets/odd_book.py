"""A workbook in which each sheet is odd in another way."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sandbox.google.settings import ODD_SPREADSHEET
from sandbox.google.sheets.book import Book, Cell, Merge, Sheet, day_cell, moment_cell, money_cell, percent_cell, row

WIDE_ROWS = 5_000


def odd_book() -> Book:
    """Returns the workbook, which never changes."""
    return Book(
        ODD_SPREADSHEET,
        "Odd/ends",
        (
            Sheet(0, 'It\'s "odd"', _odd(), row_count=40, column_count=9),
            Sheet(1, "ABC123", (row("a", "b"), row(1, 2))),
            Sheet(2, "Empty"),
            Sheet(3, "Header only", (row("id", "name"),)),
            Sheet(4, "Titled", _titled(), merges=(Merge((0, 1), (0, 4)),)),
            Sheet(5, "Types", _types()),
            Sheet(6, "Secret", (row("k"), row("hidden row")), hidden=True),
            Sheet(7, "Large", _large(), row_count=WIDE_ROWS + 1, column_count=60),
            Sheet(8, "Formulas = blanks", (row("id", "note"), row(1, "x"), row(Cell("", formula='=IF(1>2,1,"")')))),
        ),
        named_ranges={"Totals": (4, 2, 5, 1, 4)},
    )


def _odd() -> tuple[tuple[Cell, ...], ...]:
    return (
        row("Name", "Name", None, "  Padded  ", "Größe", None, "select"),
        row("Ann", "second", "under no name", "x", "über", None, "s1"),
        row("Bob"),
        row(None, None, None, None, "only here"),
        (),
        row("007", "line\nbreak", 'quote " and, comma', "\t", "=1+1", None, "s5", "beyond the header"),
        row("#N/A", "#DIV/0!", -0.5, 1e21, 12345678901234567890, None, None),
    )


def _titled() -> tuple[tuple[Cell, ...], ...]:
    return (
        row("Report of the week, made by hand"),
        (),
        row(None, "Region", "Calls", "Share"),
        row(None, "North", 12, percent_cell(0.25)),
        row(None, "South", 36, percent_cell(0.75)),
    )


def _types() -> tuple[tuple[Cell, ...], ...]:
    return (
        row("id", "code", "amount", "ratio", "ok", "day", "at", "mixed", "nothing"),
        row(1, "007", money_cell(1234.5), 0.5, True, day_cell(date(2026, 3, 29)), _at(2, 30), "1"),
        row(2, "010", money_cell(2), 1, False, day_cell(date(1970, 1, 1)), _at(23, 59), "x"),
        row(3, None, None, None, None, "unknown", None, 3),
    )


def _at(hour: int, minute: int) -> Cell:
    return moment_cell(datetime(2026, 3, 29, hour, minute, 15, tzinfo=UTC))


def _large() -> tuple[tuple[Cell, ...], ...]:
    return (
        row("id", *(f"c{number}" for number in range(1, 60))),
        *(row(number, f"v{number}") for number in range(1, WIDE_ROWS + 1)),
    )
