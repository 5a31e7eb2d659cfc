"""Reads a whole batch: which queries its files need, and one query over all of them in the target's columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from penstock.artifacts import FileFormat, StagedBatch, StagedFile
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.duckdb.reading import Column, Reading
from tasks.warehouses.duckdb.reading_csv import layout, read_csv_files
from tasks.warehouses.duckdb.reading_json import read_json_files
from tasks.warehouses.duckdb.reading_parquet import read_parquet_files
from tasks.warehouses.duckdb.staged_paths import filled_files
from tasks.warehouses.duckdb.tables import TYPES, unified_types
from tasks.warehouses.quoting import identifier

_LEAST_REJECTS_LIMIT = 10_000
_ERRORS_PER_ROW = 10


def read_batch(state: LoadState) -> list[Reading]:
    """Returns the queries that read a batch, in its files' order; they have been surveyed, not read."""
    limit = rejects_limit(state.plan.guards.maximum_rejected)
    readings: list[Reading] = []
    for group in _groups(state.batch):
        match group[0].format:
            case FileFormat.CSV:
                readings += read_csv_files(state.sql, group, state.paths, limit)
            case FileFormat.JSONL:
                readings.append(read_json_files(state.sql, group, state.paths, limit))
            case FileFormat.PARQUET:
                readings += read_parquet_files(state.sql, group, state.paths, typed=state.plan.typed)
    return readings


def rejects_limit(maximum_rejected: int) -> int:
    """Returns how many errors DuckDB keeps: enough to tell that there are too many, a few for each row."""
    return max(_LEAST_REJECTS_LIMIT, _ERRORS_PER_ROW * (maximum_rejected + 1))


def incoming_types(sql: Sql, readings: Sequence[Reading]) -> dict[str, str] | None:
    """Returns the batch's columns with their types, in order of appearance; None where no record or header tells."""
    types: dict[str, list[str]] = {}
    for reading in readings:
        for column in reading.columns:
            types.setdefault(column.name, []).append(column.type)
    if not types and not any(reading.expected and reading.expected.maximum for reading in readings):
        return None
    return {name: unified_types(sql, of_type) for name, of_type in types.items()}


def batch_query(state: LoadState) -> str:
    """Returns one query over the batch: the target's own columns, then the metadata."""
    if not state.readings:
        columns = [f"CAST(NULL AS {state.types[name]}) AS {identifier(name)}" for name in state.landed_columns]
        return f"SELECT {', '.join(columns)} WHERE false"
    return "\nUNION ALL\n".join(_reading_query(state, reading) for reading in state.readings)


def _reading_query(state: LoadState, reading: Reading) -> str:
    brought = {column.name: column for column in reading.columns if column.name in state.change.written}
    expressions = {name: _own_expression(name, state.types, brought.get(name)) for name in state.own_columns}
    metadata = {"_source_file": reading.source_file, **state.metadata}
    expressions |= {name: f"CAST({metadata[name]} AS {TYPES.metadata[name]})" for name in metadata}
    columns = ", ".join(f"{expression} AS {identifier(name)}" for name, expression in expressions.items())
    return f"SELECT {columns} FROM {reading.relation}"


def _own_expression(name: str, types: Mapping[str, str], column: Column | None) -> str:
    if column is None:
        return f"CAST(NULL AS {types[name]})"
    return column.expression if column.type == types[name] else f"CAST({column.expression} AS {types[name]})"


def _groups(batch: StagedBatch) -> list[list[StagedFile]]:
    """Returns the files by what one reader can read together, in order; JSON lines need only be compressed alike."""
    return [list(group) for _, group in groupby(filled_files(batch), key=_together)]


def _together(file: StagedFile) -> tuple[object, ...]:
    return (file.format, file.compression) if file.format is FileFormat.JSONL else layout(file)
