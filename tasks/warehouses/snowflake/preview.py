"""Shows what a load would run, by running its steps against a recorder instead of the warehouse."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from penstock.artifacts import (
    Compression,
    CsvDialect,
    FileFormat,
    Guards,
    LoadPlan,
    StagedBatch,
    StagedColumn,
    StagedFile,
)
from penstock.connections import ExternalStage, InternalStage
from tasks.warehouses.columns import ColumnChange, needed_columns, own_columns
from tasks.warehouses.snowflake import loading
from tasks.warehouses.snowflake.load_state import LoadState, Names
from tasks.warehouses.snowflake.session import Sql
from tasks.warehouses.snowflake.stage_files import StagedNames, stage_name
from tasks.warehouses.snowflake.tables import TEXT, Table, column_types

_KEY = "<staged files>"
_OTHER_COLUMNS = "<columns of the files>"
_LEDGER = re.compile(r"INSERT INTO penstock\.(loads|files|rejects)\b")


class Recorder(Sql):
    """Notes statements and runs none. Whatever is counted is one, so that no statement is left out."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    @override
    def run(self, statement: str) -> int:
        self.statements.append(statement)
        return 1

    @override
    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return []

    @override
    def first_rows(self, query: str, count: int) -> tuple[list[dict[str, Any]], int]:
        self.statements.append(query)
        is_copy = query.startswith("COPY") and "VALIDATION_MODE" not in query
        return ([{"rows_loaded": 1, "rows_parsed": 1}], 1) if is_copy else ([], 0)

    @override
    def count(self, query: str) -> int:
        return 1


def preview_load(
    plan: LoadPlan, columns: Sequence[str], table: Table, stage: InternalStage | ExternalStage
) -> list[str]:
    """Returns what a load runs, in order, without the checks between; also what it makes and drops for itself.

    Args:
        plan: The load.
        columns: The dataset's columns, by their bronze names. Where none are known, those of the table stand in, or
            before the first load those that the strategy reads and one for all others.
        table: The table as it is.
        stage: The warehouse's stage.
    """
    sql = Recorder()
    plan = plan.model_copy(
        update={"guards": Guards(allow_empty=True, minimum_fraction=0, maximum_rejected=sys.maxsize)}
    )
    columns = tuple(columns) or own_columns(tuple(table.types)) or (*needed_columns(plan.strategy), _OTHER_COLUMNS)
    file = StagedFile(
        key=_KEY,
        format=FileFormat.CSV,
        compression=Compression.NONE,
        size_bytes=0,
        etag="",
        columns=tuple(StagedColumn(name=name, source_name=name) for name in columns),
        dialect=CsvDialect(),
        header_rows=1,
        source_name=_KEY,
    )
    batch = StagedBatch(batch_id=plan.batch_id, files=(file,))
    staged = StagedNames(f"@{stage_name(stage)}/", {_KEY: _KEY}, {_KEY: _KEY})
    state = LoadState(sql, plan, batch, staged, Names("batch"), table, loaded_at=datetime.now(UTC))
    created = dict.fromkeys((name for name in columns if name not in table.types), TEXT)
    state.change = ColumnChange(written=tuple(columns), created=tuple(created))
    state.types = column_types(table, created, plan.strategy)
    loading.land(state)
    loading.prepare(state)
    sql.run("BEGIN")
    loading.lock(state)
    state.table = table
    loading.apply(state)
    loading.record(state)
    loading.commit(state)
    return [_readable(one) for one in sql.statements]


def _readable(statement: str) -> str:
    """Returns a statement; of one that writes the ledger, only which table it writes."""
    ledger = _LEDGER.match(statement)
    return f"{ledger[0]} ..." if ledger else statement
