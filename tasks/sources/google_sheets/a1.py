"""A1 notation: how Google writes a place in a sheet."""

from __future__ import annotations

import re
from typing import NamedTuple

_START = re.compile(r"(?:.*!)?\$?([A-Z]{1,3})?\$?(\d+)?(?::.*)?", re.DOTALL)
_LETTERS = 26


class Place(NamedTuple):
    """A cell, counted from 1."""

    row: int
    column: int


def quote_title(title: str) -> str:
    """Returns a sheet's title as a range begins: always in quotes, for `ABC123` would be read as a cell."""
    doubled = title.replace("'", "''")
    return f"'{doubled}'"


def rows_range(title: str, *, first: int, last: int, columns: int) -> str:
    """Returns the range of whole rows, both included, in the first so many columns."""
    return f"{quote_title(title)}!A{first}:{column_letters(columns)}{last}"


def column_letters(number: int) -> str:
    """Returns a column's letters; 1 is A."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters


def start_of(answered: str) -> Place:
    """Returns where a range begins that an answer names, such as `'Q1 Data'!B2:F40`."""
    match = _START.fullmatch(answered)
    letters, row = (match[1], match[2]) if match else (None, None)
    column = 0
    for letter in letters or "A":
        column = column * _LETTERS + ord(letter) - ord("A") + 1
    return Place(int(row or 1), column)
