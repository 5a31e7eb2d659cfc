"""A spreadsheet's sheets, and which of them a dataset means."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from penstock.errors import DataError
from penstock.findings import nearest
from penstock.sources.google_sheets import SheetsDataset
from tasks.sources.google_sheets.a1 import rows_range
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.rest.body import read_body

# Of a request; Google advises answers of at most 2 MB, and a cell is seldom more than some bytes.
CELLS_PER_REQUEST = 100_000
_WILDCARDS = frozenset("*?[")


class Merge(msgspec.Struct, rename="camel"):
    """Cells shown as one (`GridRange`): counted from 0, the ends excluded; only the first has a value."""

    start_row_index: int = 0
    end_row_index: int = 0
    start_column_index: int = 0
    end_column_index: int = 0


class Grid(msgspec.Struct, rename="camel"):
    """A sheet's size, empty cells included."""

    row_count: int = 0
    column_count: int = 0


class SheetProperties(msgspec.Struct, rename="camel"):
    """What a sheet is; charts have sheets of their own, without a grid."""

    title: str
    sheet_type: str = "GRID"
    hidden: bool = False
    grid_properties: Grid = msgspec.field(default_factory=Grid)


class Sheet(msgspec.Struct):
    """A sheet without its cells."""

    properties: SheetProperties
    merges: list[Merge] = []


class BookProperties(msgspec.Struct, rename="camel"):
    """What the spreadsheet is; dates are in its time zone."""

    title: str = ""
    time_zone: str = ""


class Layout(msgspec.Struct):
    """A spreadsheet without its cells."""

    properties: BookProperties
    sheets: list[Sheet]


class Target(NamedTuple):
    """What becomes one file.

    Args:
        name: The sheet's title, or the range as the dataset has it.
        ranges: What is asked for, in order: a large sheet is asked for in blocks of rows.
        merges: Of the sheet; unknown for a range.
    """

    name: str
    ranges: tuple[str, ...]
    cell_count: int
    merges: tuple[Merge, ...] = ()


def read_layout(content: bytes) -> Layout:
    """Reads an answer as a layout.

    Raises:
        UnreadableBodyError: It is none.
    """
    body = read_body(content)
    try:
        found = {"properties": body.value("properties"), "sheets": body.value("sheets")}
        return msgspec.convert(found, Layout)
    except msgspec.ValidationError:
        raise UnreadableBodyError(
            "the answer does not describe a spreadsheet",
            guidance="The API answered with a success status and something else.",
        ) from None


def targets_of(layout: Layout, dataset: SheetsDataset) -> list[Target]:
    """Returns what a dataset means, in the spreadsheet's order; of a range its size is not known.

    Raises:
        DataError: A title or pattern finds no sheet.
    """
    if dataset.ranges:
        return [Target(name, (name,), 0) for name in dict.fromkeys(dataset.ranges)]
    grids = [sheet for sheet in layout.sheets if sheet.properties.sheet_type == "GRID"]
    wanted: set[str] = set()
    for pattern in dataset.sheets:
        wanted |= _titles(grids, pattern, include_hidden=dataset.include_hidden)
    return [_target(sheet) for sheet in grids if sheet.properties.title in wanted]


def _titles(grids: list[Sheet], pattern: str, *, include_hidden: bool) -> set[str]:
    """Returns the titles that a pattern finds; a title written out is found though its sheet is hidden."""
    titles = {sheet.properties.title for sheet in grids}
    if pattern in titles:
        return {pattern}
    visible = {one.properties.title for one in grids if include_hidden or not one.properties.hidden}
    found = {title for title in visible if fnmatchcase(title, pattern)} if _WILDCARDS & set(pattern) else set()
    if not found:
        close = nearest(pattern, titles)
        raise DataError(
            "the spreadsheet has no such sheet",
            guidance=f"Did you mean {close}? A sheet may have been renamed."
            if close
            else "It may have been renamed, deleted, or hidden.",
            sheet=pattern,
        )
    return found


def _target(sheet: Sheet) -> Target:
    properties = sheet.properties
    grid = properties.grid_properties
    cells = grid.row_count * grid.column_count
    return Target(properties.title, tuple(_blocks(properties.title, grid)), cells, tuple(sheet.merges))


def _blocks(title: str, grid: Grid) -> Iterator[str]:
    if not grid.column_count:
        return
    height = max(1, CELLS_PER_REQUEST // grid.column_count)
    for first in range(1, grid.row_count + 1, height):
        yield rows_range(title, first=first, last=min(first + height - 1, grid.row_count), columns=grid.column_count)
