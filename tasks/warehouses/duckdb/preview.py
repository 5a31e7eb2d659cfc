"""Shows what a load would run, by running its steps against a recorder instead of the warehouse."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from typing_extensions import override

from penstock.artifacts import Compression, FileFormat, Guards, LoadPlan, StagedBatch, StagedFile
from tasks.warehouses.columns import ColumnChange
from tasks.warehouses.duckdb import loading
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.duckdb.reading import TEXT, Column, Reading, RowRange
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.duckdb.tables import Table, column_types
from tasks.warehouses.quoting import identifier


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


def preview_load(plan: LoadPlan, columns: Sequence[str]) -> list[str]:
    """Returns the statements of a load into a table that has these columns and rows, without the checks between them.

    Args:
        plan: The load.
        columns: The dataset's columns, by their bronze names.
    """
    sql = _Recorder()
    plan = plan.model_copy(
        update={"guards": Guards(allow_empty=True, minimum_fraction=0, maximum_rejected=sys.maxsize)}
    )
    file = StagedFile(
        key="<staged files>",
        format=FileFormat.CSV,
        compression=Compression.NONE,
        size_bytes=0,
        etag="",
        columns=None,
        source_name="<staged files>",
    )
    batch = StagedBatch(batch_id=plan.batch_id, files=(file,))
    table = Table(plan.target, exists=False, types={}, row_count=1)
    no_paths = cast("StagedPaths", None)  # no file is opened
    state = LoadState(sql, plan, batch, no_paths, table, loaded_at=datetime.now(UTC))
    state.change = ColumnChange(written=tuple(columns), created=tuple(columns))
    state.types = column_types(state.table, dict.fromkeys(columns, TEXT), plan.strategy)
    state.readings = [_placeholder(file, columns)]
    sql.run("BEGIN TRANSACTION")
    loading.prepare(state)
    loading.land(state)
    loading.apply(state)
    loading.record(state)
    loading.commit(state)
    return sql.statements


def _placeholder(file: StagedFile, columns: Sequence[str]) -> Reading:
    return Reading(
        files=(file,),
        paths=(file.key,),
        columns=tuple(Column(name, TEXT, identifier(name)) for name in columns),
        relation="read_csv(['<staged files>'])",
        source_file="'<file>'",
        expected=RowRange(0, sys.maxsize),
    )
