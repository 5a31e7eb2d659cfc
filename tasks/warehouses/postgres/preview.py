"""Shows what a load would run, by running its steps against a recorder instead of the warehouse."""

from __future__ import annotations

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
from tasks.warehouses.columns import ColumnChange
from tasks.warehouses.postgres import loading
from tasks.warehouses.postgres.connection import Sql
from tasks.warehouses.postgres.files import StagedFiles
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.tables import TEXT, Table, column_types


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
        columns=tuple(StagedColumn(name=name, source_name=name) for name in columns),
        header_rows=1,
        source_name="<staged files>",
    )
    batch = StagedBatch(batch_id=plan.batch_id, files=(file,))
    types = column_types(Table(plan.target, exists=False, types={}), dict.fromkeys(columns, TEXT), plan.strategy)
    table = Table(plan.target, exists=True, types=types, has_rows=True)
    state = LoadState(sql, plan, batch, _NoFiles(), table, loaded_at=datetime.now(UTC))
    state.change = ColumnChange(written=tuple(columns), created=())
    state.types = types
    sql.run("BEGIN")
    loading.prepare(state)
    loading.land(state)
    loading.apply(state)
    loading.record(state)
    loading.commit(state)
    return sql.statements
