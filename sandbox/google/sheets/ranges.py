"""Ranges in A1 notation: what they mean in a spreadsheet, and how Google writes them back."""

from __future__ import annotations

import re
from typing import NamedTuple

from sandbox.google.problems import GoogleProblemError
from sandbox.google.sheets.book import Book, Sheet

_CORNER = r"\$?([A-Za-z]{1,3})?\$?(\d+)?"
_CELLS = re.compile(rf"{_CORNER}(?::{_CORNER})?")
_PLAIN_TITLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOOKS_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}\d+")


class Area(NamedTuple):
    """Cells of a sheet, counted from 0 with the ends excluded."""

    sheet: Sheet
    rows: tuple[int, int]
    columns: tuple[int, int]

    def written(self) -> str:
        """Returns the area as an answer names it."""
        title = self.sheet.title
        if not _PLAIN_TITLE.fullmatch(title) or _LOOKS_LIKE_A_CELL.fullmatch(title):
            doubled = title.replace("'", "''")
            title = f"'{doubled}'"
        first = f"{letters(self.columns[0] + 1)}{self.rows[0] + 1}"
        return f"{title}!{first}:{letters(self.columns[1])}{self.rows[1]}"


def read_range(text: str, book: Book) -> Area:
    """Returns what a range means.

    Raises:
        GoogleProblemError: It is none, or lies outside its sheet.
    """
    title, cells = _split(text)
    if title is None:
        named = book.named_ranges.get(text)
        if named is not None:
            sheet = next(sheet for sheet in book.sheets if sheet.sheet_id == named[0])
            return Area(sheet, (named[1], named[2]), (named[3], named[4]))
        # A bare title is a whole sheet, unless it looks like a cell of the first one.
        title, cells = ("", text) if _LOOKS_LIKE_A_CELL.fullmatch(text) else (text, "")
    found = [sheet for sheet in book.sheets if sheet.sheet_type == "GRID" and (not title or sheet.title == title)]
    match = _CELLS.fullmatch(cells)
    if not found or match is None:
        raise GoogleProblemError(400, f"Unable to parse range: {text}")
    return _area(found[0], match, text)


def letters(number: int) -> str:
    """Returns a column's letters; 1 is A."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _split(text: str) -> tuple[str | None, str]:
    quoted = re.fullmatch(r"'((?:[^']|'')*)'(?:!(.*))?", text)
    if quoted:
        return quoted[1].replace("''", "'"), quoted[2] or ""
    title, mark, cells = text.rpartition("!")
    return (title, cells) if mark else (None, "")


def _area(sheet: Sheet, match: re.Match[str], text: str) -> Area:
    left, top, right, bottom = match.groups()
    is_one_cell = ":" not in match[0] and bool(left and top)
    first_row, first_column = int(top or 1) - 1, _column(left) - 1 if left else 0
    if first_row >= sheet.row_count or first_column >= sheet.column_count:
        limits = f"Max rows: {sheet.row_count}, max columns: {sheet.column_count}"
        raise GoogleProblemError(400, f"Range ({text}) exceeds grid limits. {limits}")
    last_row = first_row + 1 if is_one_cell else min(int(bottom or sheet.row_count), sheet.row_count)
    last_column = (
        first_column + 1 if is_one_cell else min(_column(right) if right else sheet.column_count, sheet.column_count)
    )
    return Area(sheet, (first_row, last_row), (first_column, last_column))


def _column(name: str) -> int:
    number = 0
    for letter in name.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
