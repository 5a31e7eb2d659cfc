"""Shows what a load would run, by running its steps against a recorder instead of the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from typing_extensions import override

from penstock.artifacts import LoadPlan, StagedBatch
from penstock.connections import ExternalStage, InternalStage
from tasks.warehouses.previewing import (
    FILES,
    Recording,
    assume_columns,
    readable,
    shown_columns,
    staged_file,
    unguarded,
)
from tasks.warehouses.snowflake import loading
from tasks.warehouses.snowflake.load_state import LoadState, Names
from tasks.warehouses.snowflake.session import Sql
from tasks.warehouses.snowflake.stage_files import StagedNames, stage_name
from tasks.warehouses.snowflake.tables import TEXT, TYPES
from tasks.warehouses.tables import CountedTable


class Recorder(Recording, Sql):
    """Stands in for the warehouse."""

    @override
    def first_rows(self, query: str, count: int) -> tuple[list[dict[str, Any]], int]:
        self.statements.append(query)
        is_copy = query.startswith("COPY") and "VALIDATION_MODE" not in query
        return ([{"rows_loaded": 1, "rows_parsed": 1}], 1) if is_copy else ([], 0)


def preview_load(
    plan: LoadPlan, columns: Sequence[str], table: CountedTable, stage: InternalStage | ExternalStage
) -> list[str]:
    """Returns what a load runs, in order, without the checks between; also what it makes and drops for itself.

    Args:
        plan: The load.
        columns: The dataset's columns, by their bronze names; see `shown_columns`.
        table: The table as it is.
        stage: The warehouse's stage.
    """
    sql = Recorder()
    columns = shown_columns(plan, columns, table)
    state = LoadState(
        sql=sql,
        plan=unguarded(plan),
        batch=StagedBatch(batch_id=plan.batch_id, files=(staged_file(columns),)),
        staged=StagedNames(f"@{stage_name(stage)}/", {FILES: FILES}, {FILES: FILES}),
        names=Names("batch"),
        table=table,
        loaded_at=datetime.now(UTC),
    )
    assume_columns(state, columns, TYPES, TEXT)
    loading.land(state)
    loading.prepare(state)
    sql.run("BEGIN")
    loading.lock(state)
    state.table = table
    loading.apply(state)
    loading.record(state)
    loading.commit(state)
    return [readable(one) for one in sql.statements]
