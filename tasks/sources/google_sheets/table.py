"""Rows of cells as a table: a header from one or more rows, and CSV records below it that are all as wide."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from tasks.sources.google_sheets.layout import Merge
from tasks.sources.google_sheets.values import serial_to_iso

ROW_COLUMN = "_row"
# Before Python 3.13 only what is in the line end is quoted in a value.
_QUOTED = "\r\n"

Cells = Sequence[str]


class Header(NamedTuple):
    """The names of columns, from left to right; cells to the right of them have none."""

    names: tuple[str, ...]

    def name_of(self, index: int) -> str:
        """Returns a column's name; one without is named after its place, as bronze names a blank header."""
        return (self.names[index] if index < len(self.names) else "") or f"column_{index + 1}"


def read_header(rows: Sequence[Cells], merges: Sequence[Merge] = (), *, first_row: int = 0) -> Header:
    """Returns the header that rows make together.

    A merged cell's text counts for all columns and rows that it covers. Of several rows the texts are joined, each
    once: `Q1` above `Calls` is `Q1 Calls`.

    Args:
        rows: The rows of the header.
        merges: The sheet's merged cells.
        first_row: The first header row's place in the sheet, counted from 0.
    """
    width = max((len(row) for row in rows), default=0)
    covered = [merge for merge in merges if first_row <= merge.start_row_index < first_row + len(rows)]
    width = max([width, *(merge.end_column_index for merge in covered if _has_text(rows, merge, first_row))])
    grid = [[*row, *[""] * (width - len(row))] for row in rows]
    for merge in covered:
        _spread(grid, merge, first_row)
    columns = ([row[index].strip() for row in grid] for index in range(width))
    return Header(tuple(" ".join(text for text, _ in groupby(column) if text) for column in columns))


class Table:
    """The rows of one sheet or range as CSV, kept until the widest is known.

    Args:
        header: Its columns' names.
        serial_dates: Names of columns whose serial numbers become dates.
        with_row_numbers: Whether each record begins with its row's number.
    """

    def __init__(self, header: Header, *, serial_dates: Sequence[str] = (), with_row_numbers: bool = False) -> None:
        self.header = header
        self.width = len(header.names)
        self._dates = [index for index, name in enumerate(header.names) if name in serial_dates]
        self._with_row_numbers = with_row_numbers
        self._lines: list[tuple[int, bytes]] = []
        self._text = io.StringIO(newline="")
        self._writer = csv.writer(self._text, lineterminator=_QUOTED)

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, row_number: int, cells: Cells) -> None:
        """Adds a row, unless all of its cells are empty."""
        if not any(cells):
            return
        if self._dates:
            cells = [serial_to_iso(cell) if index in self._dates else cell for index, cell in enumerate(cells)]
        self.width = max(self.width, len(cells))
        self._lines.append((len(cells), self._encode([str(row_number), *cells] if self._with_row_numbers else cells)))

    def column_names(self) -> list[str]:
        """Returns the names of all columns, also those that only rows wider than the header have."""
        own = [self.header.name_of(index) for index in range(self.width)]
        return [ROW_COLUMN, *own] if self._with_row_numbers else own

    def records(self) -> Iterator[bytes]:
        """Yields the header and the rows, each with its line break."""
        yield self._encode(self.column_names()) + b"\n"
        for width, line in self._lines:
            yield line + b"," * (self.width - width) + b"\n"

    def _encode(self, cells: Cells) -> bytes:
        self._text.seek(0)
        self._text.truncate()
        self._writer.writerow(cells)
        return self._text.getvalue().removesuffix(_QUOTED).encode("utf-8")


def _has_text(rows: Sequence[Cells], merge: Merge, first_row: int) -> bool:
    row = rows[merge.start_row_index - first_row]
    return merge.start_column_index < len(row) and bool(row[merge.start_column_index])


def _spread(grid: list[list[str]], merge: Merge, first_row: int) -> None:
    top = merge.start_row_index - first_row
    row = grid[top]
    text = row[merge.start_column_index] if merge.start_column_index < len(row) else ""
    for below in grid[top : merge.end_row_index - first_row]:
        for index in range(merge.start_column_index, min(merge.end_column_index, len(below))):
            below[index] = text
