"""Shows what a load would run, by running its steps against a recorder instead of the warehouse."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from typing_extensions import override

from penstock.artifacts import (
    Compression,
    FileFormat,
    Guards,
    LoadPlan,
    StagedBatch,
    StagedColumn,
    StagedFile,
)
from tasks.warehouses.columns import ColumnChange, needed_columns, own_columns
from tasks.warehouses.postgres import loading
from tasks.warehouses.postgres.connection import Sql
from tasks.warehouses.postgres.files import StagedFiles
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.tables import TEXT, Table, column_types

_FILES = "<staged files>"
_OTHER_COLUMNS = "<columns of the files>"
_LEDGER = re.compile(r"INSERT INTO penstock\.(loads|files|rejects)\b")
# What a load sets up for itself: settings, locks, savepoints, and where it keeps the rows that it rejects.
_INTERNAL = re.compile(
    r"(SET |SELECT pg_advisory|SAVEPOINT |RELEASE |ANALYZE landing|ALTER TABLE landing"
    r"|(CREATE TEMP TABLE|INSERT INTO) rejected\b)"
)


class _Recorder(Sql):
    """Notes statements and runs none. Whatever is counted is one, so that no statement is left out."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    @override
    def run(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        self.statements.append(statement)
        return 1

    @override
    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self.statements.append(statement)

    @override
    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return []

    @override
    def count(self, query: str, parameters: Sequence[Any] = ()) -> int:
        return 1

    @override
    def copy_in(self, statement: str, chunks: Iterable[bytes]) -> int:
        self.statements.append(statement)
        for _ in chunks:
            pass
        return 0


class _NoFiles(StagedFiles):
    """Files that nobody reads."""

    def __init__(self) -> None:
        super().__init__(cast("Any", None), cast("Any", None), cast("Any", None))

    @override
    def chunks(self, file: StagedFile) -> Any:
        return iter(())


def preview_load(plan: LoadPlan, columns: Sequence[str], table: Table) -> list[str]:
    """Returns what a load does to the warehouse's tables, in order; without its checks and its settings.

    Args:
        plan: The load.
        columns: The dataset's columns, by their bronze names. Where none are known, those of the table stand in, or
            before the first load those that the strategy reads and one for all others.
        table: The table as it is.
    """
    sql = _Recorder()
    plan = plan.model_copy(
        update={"guards": Guards(allow_empty=True, minimum_fraction=0, maximum_rejected=sys.maxsize)}
    )
    columns = tuple(columns) or own_columns(tuple(table.types)) or (*needed_columns(plan.strategy), _OTHER_COLUMNS)
    file = StagedFile(
        key=_FILES,
        format=FileFormat.CSV,
        compression=Compression.NONE,
        size_bytes=0,
        etag="",
        columns=tuple(StagedColumn(name=name, source_name=name) for name in columns),
        header_rows=1,
        source_name=_FILES,
    )
    batch = StagedBatch(batch_id=plan.batch_id, files=(file,))
    state = LoadState(sql, plan, batch, _NoFiles(), table, loaded_at=datetime.now(UTC))
    created = dict.fromkeys((name for name in columns if name not in table.types), TEXT)
    state.change = ColumnChange(written=tuple(columns), created=tuple(created))
    state.types = column_types(table, created, plan.strategy)
    sql.run("BEGIN")
    loading.prepare(state)
    loading.land(state)
    loading.apply(state)
    loading.record(state)
    loading.commit(state)
    return [_readable(one) for one in sql.statements if not _INTERNAL.match(one)]


def _readable(statement: str) -> str:
    """Returns a statement; of one that writes the ledger, only which table it writes."""
    ledger = _LEDGER.match(statement)
    return f"{ledger[0]} ..." if ledger else statement
