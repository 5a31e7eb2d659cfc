"""Reads staged Parquet files by column name, as text or with their own types."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.artifacts import FileFormat, StagedFile
from tasks.warehouses.snowflake.file_formats import copy_rows, parquet_format, parquet_value
from tasks.warehouses.snowflake.load_state import LoadState
from tasks.warehouses.snowflake.quoting import literal, literals
from tasks.warehouses.snowflake.tables import TEXT

FORMAT_NAME = "penstock.penstock_parquet"
"""The named file format that INFER_SCHEMA asks for."""


def column_types(state: LoadState) -> dict[str, str]:
    """Returns the columns that the Parquet files bring, with their types: text, or the files' own."""
    files = state.files_of(FileFormat.PARQUET)
    names = {column.source_name: column.name for file in files for column in file.columns or ()}
    if not names or not state.plan.typed:
        return dict.fromkeys(names.values(), TEXT)
    found = dict(state.sql.rows(infer_schema(state.staged.stage, state.staged.of(files[:1]))))
    return {name: _table_type(found.get(source, TEXT)) for source, name in names.items()}


def infer_schema(stage: str, files: Sequence[str]) -> str:
    """Returns the query of files' columns and their types."""
    return (
        "SELECT column_name, type FROM TABLE(INFER_SCHEMA("
        f"LOCATION => {literal(stage)}, FILES => ({literals(files)}), FILE_FORMAT => {literal(FORMAT_NAME)}))"
    )


def land(state: LoadState, files: Sequence[StagedFile]) -> int:
    """Lands Parquet files of one layout and returns how many rows they hold."""
    columns = [column for column in files[0].columns or () if column.name in state.change.written]
    copy = copy_rows(
        state.names.landing,
        [column.name for column in columns],
        [parquet_value(column.source_name, state.types[column.name]) for column in columns],
        stage=state.staged.stage,
        files=state.staged.of(files),
        file_format=parquet_format(),
    )
    results, _ = state.sql.first_rows(copy, len(files))
    loaded = sum(int(result.get("rows_loaded") or 0) for result in results)
    state.counts.landed += loaded
    return max(loaded, sum(int(result.get("rows_parsed") or 0) for result in results))


def _table_type(of_type: str) -> str:
    """Returns a type as a table's description writes it."""
    if of_type.startswith("TEXT"):
        return TEXT
    return of_type.replace("REAL", "FLOAT")
