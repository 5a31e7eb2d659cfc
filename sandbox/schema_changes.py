"""Applies `schema_change` faults to what a service is about to send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sandbox.faults import Fault

ADDED_VALUE = "added"

Row = Sequence[str | None]


def change_table(
    columns: Sequence[str], rows: Iterable[Row], changes: Sequence[Fault]
) -> tuple[Sequence[str], Iterable[Row]]:
    """Returns a table's header and rows with columns added at the end, removed or renamed; unknown ones are left."""
    for change in changes:
        columns, rows = _change_columns(columns, rows, change)
    return columns, rows


def change_record(record: dict[str, Any], changes: Sequence[Fault]) -> dict[str, Any]:
    """Returns a record with top-level fields added, removed or renamed in place."""
    for change in changes:
        if change.change == "add":
            record = {**record, change.column: ADDED_VALUE}
        elif change.change == "remove":
            record = {name: value for name, value in record.items() if name != change.column}
        else:
            record = {change.new_name if name == change.column else name: value for name, value in record.items()}
    return record


def _change_columns(columns: Sequence[str], rows: Iterable[Row], change: Fault) -> tuple[Sequence[str], Iterable[Row]]:
    if change.change == "add":
        return (*columns, change.column), ((*row, ADDED_VALUE) for row in rows)
    if change.column not in columns:
        return columns, rows
    if change.change == "rename":
        return [change.new_name if name == change.column else name for name in columns], rows
    place = list(columns).index(change.column)
    return _without(columns, place), _rows_without(rows, place)


def _rows_without(rows: Iterable[Row], place: int) -> Iterator[Row]:
    return (_without(row, place) for row in rows)


def _without(row: Sequence[Any], place: int) -> Sequence[Any]:
    return (*row[:place], *row[place + 1 :])
