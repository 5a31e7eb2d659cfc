"""Spreadsheets as they are kept: cells with values, how they are shown, formulas and formats."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time

_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a serial number has no zone
_SECONDS_PER_DAY = 86_400

Value = str | int | float | bool | None


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        value: What it holds; a date as its serial number.
        shown: How it is shown, where that is not the value itself.
        formula: What makes the value.
        number_format: Type of its number format, where it has one.
    """

    value: Value
    shown: str = ""
    formula: str = ""
    number_format: str = ""

    def render(self, values: str, dates: str) -> Value:
        """Returns the cell as the API's render options want it; an empty text for an empty cell."""
        if values == "FORMULA" and self.formula:
            return self.formula
        is_date = self.number_format in {"DATE", "DATE_TIME", "TIME"}
        if values == "FORMATTED_VALUE" or (is_date and dates == "FORMATTED_STRING"):
            return self.shown or _as_shown(self.value)
        return "" if self.value is None else self.value


@dataclass(frozen=True)
class Merge:
    """Merged cells, counted from 0 with the ends excluded."""

    rows: tuple[int, int]
    columns: tuple[int, int]


@dataclass(frozen=True)
class Sheet:
    """One sheet; rows need not be equally long."""

    sheet_id: int
    title: str
    rows: tuple[tuple[Cell, ...], ...] = ()
    row_count: int = 1_000
    column_count: int = 26
    hidden: bool = False
    sheet_type: str = "GRID"
    frozen_rows: int = 0
    merges: tuple[Merge, ...] = ()


@dataclass(frozen=True)
class Book:
    """One spreadsheet; named ranges are (sheet id, first row, end row, first column, end column), counted from 0."""

    spreadsheet_id: str
    title: str
    sheets: tuple[Sheet, ...]
    time_zone: str = "America/New_York"
    named_ranges: dict[str, tuple[int, int, int, int, int]] = field(default_factory=dict)


def row(*values: Value | Cell) -> tuple[Cell, ...]:
    """Returns a row of cells; plain values are shown as they are."""
    return tuple(value if isinstance(value, Cell) else Cell(value) for value in values)


def day_cell(day: date) -> Cell:
    """Returns a cell that holds a date."""
    serial = (datetime.combine(day, time()) - _EPOCH).days
    return Cell(serial, f"{day.month}/{day.day}/{day.year}", number_format="DATE")


def moment_cell(moment: datetime) -> Cell:
    """Returns a cell that holds a date and a time, in the spreadsheet's zone."""
    passed = moment.replace(tzinfo=None) - _EPOCH
    serial = passed.days + passed.seconds / _SECONDS_PER_DAY
    return Cell(serial, f"{moment:%m/%d/%Y %H:%M:%S}", number_format="DATE_TIME")


def money_cell(amount: float) -> Cell:
    """Returns a cell that holds an amount of dollars."""
    return Cell(amount, f"${amount:,.2f}", number_format="CURRENCY")


def percent_cell(share: float) -> Cell:
    """Returns a cell that holds a share."""
    return Cell(share, f"{share:.0%}", number_format="PERCENT")


def _as_shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return "" if value is None else str(value)
