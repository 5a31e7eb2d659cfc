"""Shows what a load would run, by running its steps against a recorder instead of the warehouse."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from penstock.artifacts import LoadPlan, StagedBatch, StagedFile
from tasks.warehouses.duckdb import loading
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.duckdb.reading import TEXT, Column, Reading, RowRange
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.duckdb.tables import TYPES
from tasks.warehouses.previewing import (
    FILES,
    Recording,
    assume_columns,
    readable,
    shown_columns,
    staged_file,
    unguarded,
)
from tasks.warehouses.quoting import identifier
from tasks.warehouses.tables import CountedTable

# What a load sets up for itself: settings, functions, and where it keeps the rows that it rejects.
_INTERNAL = re.compile(
    r"(--.*\n)*(SET |CREATE OR REPLACE TEMP MACRO|CREATE OR REPLACE TEMP TABLE (rejected|reader_errors)\b"
    r"|INSERT INTO rejected\b)"
)


class _Recorder(Recording, Sql):
    """Stands in for the warehouse."""


def preview_load(plan: LoadPlan, columns: Sequence[str], table: CountedTable) -> list[str]:
    """Returns what a load does to the warehouse's tables, in order; without its checks and its working tables.

    Args:
        plan: The load.
        columns: The dataset's columns, by their bronze names; see `shown_columns`.
        table: The table as it is.
    """
    sql = _Recorder()
    columns = shown_columns(plan, columns, table)
    file = staged_file(columns)
    no_paths = cast("StagedPaths", None)  # no file is opened
    state = LoadState(
        sql=sql,
        plan=unguarded(plan),
        batch=StagedBatch(batch_id=plan.batch_id, files=(file,)),
        paths=no_paths,
        table=table,
        loaded_at=datetime.now(UTC),
    )
    assume_columns(state, columns, TYPES, TEXT)
    state.readings = [_placeholder(file, columns)]
    sql.run("BEGIN TRANSACTION")
    loading.prepare(state)
    loading.land(state)
    loading.apply(state)
    loading.record(state)
    loading.commit(state)
    return [readable(one) for one in sql.statements if not _INTERNAL.match(one)]


def _placeholder(file: StagedFile, columns: Sequence[str]) -> Reading:
    return Reading(
        files=(file,),
        paths=(file.key,),
        columns=tuple(Column(name, TEXT, identifier(name)) for name in columns),
        relation=identifier(FILES),
        source_file="'<file>'",
        expected=RowRange(0, sys.maxsize),
    )
