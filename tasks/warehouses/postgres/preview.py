"""Shows what a load would run, by running its steps against a recorder instead of the warehouse."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from typing_extensions import override

from penstock.artifacts import LoadPlan, StagedBatch, StagedFile
from tasks.warehouses.postgres import loading
from tasks.warehouses.postgres.connection import Sql
from tasks.warehouses.postgres.files import StagedFiles
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.tables import TEXT, TYPES, Table
from tasks.warehouses.previewing import Recording, assume_columns, readable, shown_columns, staged_file, unguarded

# What a load sets up for itself: settings, locks, savepoints, and where it keeps the rows that it rejects.
_INTERNAL = re.compile(
    r"(SET |SELECT pg_advisory|SAVEPOINT |RELEASE |ANALYZE landing|ALTER TABLE landing"
    r"|(CREATE TEMP TABLE|INSERT INTO) rejected\b)"
)


class _Recorder(Recording, Sql):
    """Stands in for the warehouse."""

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
        columns: The dataset's columns, by their bronze names; see `shown_columns`.
        table: The table as it is.
    """
    sql = _Recorder()
    columns = shown_columns(plan, columns, table)
    state = LoadState(
        sql=sql,
        plan=unguarded(plan),
        batch=StagedBatch(batch_id=plan.batch_id, files=(staged_file(columns),)),
        files=_NoFiles(),
        table=table,
        loaded_at=datetime.now(UTC),
    )
    assume_columns(state, columns, TYPES, TEXT)
    sql.run("BEGIN")
    loading.prepare(state)
    loading.land(state)
    loading.apply(state)
    loading.record(state)
    loading.commit(state)
    return [readable(one) for one in sql.statements if not _INTERNAL.match(one)]
