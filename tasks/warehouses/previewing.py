"""What the previews of all warehouses share: a load's steps run against a recorder, with files that nobody has."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from penstock.artifacts import Compression, CsvDialect, FileFormat, Guards, LoadPlan, StagedColumn, StagedFile
from tasks.warehouses.columns import ColumnChange, needed_columns, own_columns
from tasks.warehouses.load_state import AnyLoadState
from tasks.warehouses.tables import ColumnTypes, TargetTable

FILES = "<staged files>"
_OTHER_COLUMNS = "<columns of the files>"
_LEDGER = re.compile(r"INSERT INTO penstock\.(loads|files|rejects)\b")


class Recording:
    """Notes statements and runs none. Whatever is counted is one, so that no statement is left out."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def run(self, statement: str, _parameters: Sequence[Any] = ()) -> int:
        """Notes a statement."""
        self.statements.append(statement)
        return 1

    def run_many(self, statement: str, _rows: Sequence[Sequence[Any]]) -> None:
        """Notes a statement."""
        self.statements.append(statement)

    def rows(self, _query: str, _parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns no rows."""
        return []

    def count(self, _query: str, _parameters: Sequence[Any] = ()) -> int:
        """Returns one."""
        return 1


def unguarded(plan: LoadPlan) -> LoadPlan:
    """Returns a plan whose guards stop nothing: a recorder's counts say nothing."""
    guards = Guards(allow_empty=True, minimum_fraction=0, maximum_rejected=sys.maxsize)
    return plan.model_copy(update={"guards": guards})


def shown_columns(plan: LoadPlan, columns: Sequence[str], table: TargetTable) -> tuple[str, ...]:
    """Returns the columns that stand for a dataset's.

    Where none are known, those of the table stand in, or before the first load those that the strategy reads and one
    for all others.
    """
    return tuple(columns) or own_columns(tuple(table.types)) or (*needed_columns(plan.strategy), _OTHER_COLUMNS)


def staged_file(columns: Sequence[str]) -> StagedFile:
    """Returns a plain CSV file that stands for all files of a load."""
    return StagedFile(
        key=FILES,
        format=FileFormat.CSV,
        compression=Compression.NONE,
        size_bytes=0,
        etag="",
        columns=tuple(StagedColumn(name=name, source_name=name) for name in columns),
        dialect=CsvDialect(),
        header_rows=1,
        source_name=FILES,
    )


def assume_columns(state: AnyLoadState, columns: Sequence[str], types: ColumnTypes, text: str) -> None:
    """Decides a load's columns as if its files brought these, all of them text."""
    created = dict.fromkeys((name for name in columns if name not in state.table.types), text)
    state.change = ColumnChange(written=tuple(columns), created=tuple(created))
    state.types = types.of_table(state.table, created, state.plan.strategy)


def readable(statement: str) -> str:
    """Returns a statement; of one that writes the ledger, only which table it writes."""
    ledger = _LEDGER.match(statement)
    return f"{ledger[0]} ..." if ledger else statement
