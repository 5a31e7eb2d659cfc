"""Which type each column seems to have: a hint for silver's casts. Bronze stays text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tasks.sources.google_sheets.table import Cells, Header

_DATE_FORMATS = {"DATE": "date", "DATE_TIME": "timestamp", "TIME": "time"}
_SHAPES = (
    ("integer", re.compile(r"-?\d{1,18}")),
    ("number", re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")),
    ("boolean", re.compile(r"true|false", re.IGNORECASE)),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("timestamp", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?")),
)
_LEADING_ZERO = re.compile(r"-?0\d")


class TypeHints:
    """Collects what the cells of each column look like.

    Args:
        formats: The number format of columns by place, where the sheet has one for dates: a date is a plain number.
    """

    def __init__(self, formats: Mapping[int, str] | None = None) -> None:
        self._formats = formats or {}
        self._seen: dict[int, set[str]] = defaultdict(set)

    def add(self, cells: Cells) -> None:
        """Looks at a row."""
        for index, cell in enumerate(cells):
            if cell:
                self._seen[index].add(shape_of(cell))

    def describe(self, header: Header, width: int) -> str:
        """Returns each column and its type in words."""
        return ", ".join(f"{header.name_of(index)} {self._type_of(index)}" for index in range(width))

    def _type_of(self, index: int) -> str:
        seen = self._seen[index]
        if not seen:
            return "empty"
        if seen <= {"integer", "number"} and index in self._formats:
            return f"{self._formats[index]} (serial)"
        if seen == {"integer", "number"}:
            return "number"
        return next(iter(seen)) if len(seen) == 1 else "text"


def shape_of(cell: str) -> str:
    """Returns what one cell looks like; a number with leading zeros is an id."""
    if _LEADING_ZERO.match(cell):
        return "text"
    return next((name for name, shape in _SHAPES if shape.fullmatch(cell)), "text")


def date_formats(content: bytes) -> list[dict[int, str]]:
    """Returns, for each range that was asked for, the columns whose first row is formatted as a date or time."""
    answer: Any = msgspec.json.decode(content)
    sheets = answer.get("sheets") or [] if isinstance(answer, dict) else []
    return [_formats_of(data.get("rowData") or []) for sheet in sheets for data in sheet.get("data") or []]


def _formats_of(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    cells = rows[0].get("values") or [] if rows else []
    kinds = (((cell.get("effectiveFormat") or {}).get("numberFormat") or {}).get("type") for cell in cells)
    return {index: _DATE_FORMATS[kind] for index, kind in enumerate(kinds) if kind in _DATE_FORMATS}
