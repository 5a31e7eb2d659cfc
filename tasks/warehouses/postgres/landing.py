"""Lands the staged files' rows: plain CSV as it stands in the store, everything else through DuckDB's readers.

Rows land in a temporary table, which PostgreSQL neither logs nor keeps, or in the target itself where the load makes
it. The metadata that is the same for all rows are the defaults of its columns while the load lasts.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from penstock.artifacts import METADATA_COLUMNS, StagedFile
from penstock.strategy import Historical
from tasks.warehouses.columns import needed_columns
from tasks.warehouses.duckdb.batch_reader import ArrowBatch, ReadRow
from tasks.warehouses.duckdb.staged_paths import filled_files
from tasks.warehouses.guards import check_counts
from tasks.warehouses.keys import Keyed
from tasks.warehouses.postgres.connection import undoable
from tasks.warehouses.postgres.load_state import LANDING, LoadState
from tasks.warehouses.postgres.plain_csv import NotPlainError, PlainCsv, copy_options, may_be_plain
from tasks.warehouses.postgres.rejects import keep_unread
from tasks.warehouses.postgres.tables import TEXT, TIME, TYPES, columns_of, type_of
from tasks.warehouses.quoting import identifier, identifiers, literal

_SKIPPED = "penstock_skipped_"
_ROW_NUMBER = "penstock_row bigint GENERATED ALWAYS AS IDENTITY (CACHE 1000)"
_NUL = "\0"


class _HoldsNulError(Exception):
    """A value holds the one character that PostgreSQL's text cannot hold."""


def create_landing(state: LoadState) -> None:
    """Makes the table that the rows land in."""
    metadata = state.metadata
    if state.lands_in_target:
        state.sql.run(f"CREATE TABLE {state.target} ({columns_of(state.types, metadata)})")
        return
    own = {name: state.types[name] for name in state.own_columns}
    skipped = {f"{_SKIPPED}{number}": TEXT for number in range(len(state.change.ignored))}
    columns = [columns_of({**own, **skipped, **TYPES.metadata}, metadata)]
    if isinstance(state.plan.strategy, Keyed):
        columns.append(_ROW_NUMBER)  # says which row was read last
    if isinstance(state.plan.strategy, Historical):
        columns.append(f"_valid_from {TIME} DEFAULT {literal(state.plan.extracted_at)}")
    state.sql.run(f"CREATE TEMP TABLE {LANDING} ({', '.join(columns)}) ON COMMIT DROP")


def is_plain(state: LoadState) -> bool:
    """Returns whether COPY may take every file as it is."""
    files = filled_files(state.batch)
    return bool(files) and all(may_be_plain(file) for file in files)


def land_rows(state: LoadState) -> None:
    """Reads the batch into the table that was made for it, and reconciles what landed with what the files hold.

    Raises:
        DataError: rows cannot be read, do not fit, or do not add up.
    """
    import psycopg

    if is_plain(state):
        try:
            with undoable(state.sql, "plain"):
                state.counts.landed = sum(_copy_plain(state, file) for file in filled_files(state.batch))
        except (NotPlainError, psycopg.DataError):
            _land_generally(state)
    else:
        _land_generally(state)
    check_counts(state.plan, staged=state.batch.row_count, landed=state.counts.landed, rejected=state.counts.rejected)
    if state.lands_in_target:
        dropped = (f"ALTER COLUMN {name} DROP DEFAULT" for name in METADATA_COLUMNS)
        state.sql.run(f"ALTER TABLE {state.target} {', '.join(dropped)}")
    elif isinstance(state.plan.strategy, Keyed) and knows_columns(state):
        state.sql.run(f"ANALYZE {LANDING} ({identifiers(state.plan.strategy.key_columns)})")


def knows_columns(state: LoadState) -> bool:
    """Returns whether the table has the columns that the strategy reads; before the first record it may have none."""
    return set(needed_columns(state.plan.strategy)) <= set(state.types)


def _copy_plain(state: LoadState, file: StagedFile) -> int:
    """Streams a file into the landing table and returns its rows."""
    ignored = {name: f"{_SKIPPED}{number}" for number, name in enumerate(state.change.ignored)}
    columns = [ignored.get(column.name, column.name) for column in file.columns or ()]
    _name_source(state, literal(file.source_name))
    csv = PlainCsv(file)
    copy = f"COPY {state.landed_in} ({identifiers(columns)}) FROM STDIN WITH ({copy_options(file)})"
    landed = state.sql.copy_in(copy, csv.checked(state.files.chunks(file)))
    if landed != max(csv.records - file.header_rows, 0):
        raise NotPlainError
    return landed


def _land_generally(state: LoadState) -> None:
    if not filled_files(state.batch):
        return
    if state.lands_in_target:
        state.sql.run(f"TRUNCATE {state.target}")
    _name_source(state, "NULL")
    try:
        with undoable(state.sql, "general"):
            rejected = _copy_read(state, unfit=None)
    except _HoldsNulError:
        rejected = _copy_read(state, unfit=_NUL)
    state.counts.rejected = len(rejected)
    keep_unread(state.sql, rejected)


def _copy_read(state: LoadState, *, unfit: str | None) -> list[ReadRow]:
    columns = [name for name in state.own_columns if name in state.change.written]

    def write(batches: Iterator[ArrowBatch]) -> int:
        names = identifiers([*columns, "_source_file"])
        copy = f"COPY {state.landed_in} ({names}) FROM STDIN WITH (FORMAT csv, NULL '')"
        return state.sql.copy_in(copy, _as_csv(batches))

    reader = state.files.reader(state.plan, state.batch, anew=unfit is not None)
    brought = reader.survey() or {}
    types = {name: brought[name] for name in columns}
    expressions = {name: _as_text(name, of_type, state.types[name]) for name, of_type in types.items()}
    rejected = reader.read(types, expressions, write, in_order=isinstance(state.plan.strategy, Keyed), unfit=unfit)
    state.counts.landed = reader.landed
    return rejected


def _name_source(state: LoadState, value: str) -> None:
    state.sql.run(f"ALTER TABLE {state.landed_in} ALTER COLUMN _source_file SET DEFAULT {value}")


def _as_text(name: str, duckdb_type: str, of_type: str) -> str:
    """Returns the expression that writes a value as PostgreSQL reads it."""
    column = identifier(name)
    if duckdb_type == "BLOB" and of_type != TEXT:
        return f"'\\x' || hex({column})"
    if duckdb_type.endswith("]") or duckdb_type.startswith(("STRUCT", "MAP", "UNION")):
        return f"CAST(to_json({column}) AS VARCHAR)"
    if duckdb_type == "TIMESTAMP_NS" and type_of(duckdb_type) == of_type:
        return f"CAST(CAST({column} AS TIMESTAMP) AS VARCHAR)"
    return column if duckdb_type == "VARCHAR" else f"CAST({column} AS VARCHAR)"


def _as_csv(batches: Iterator[ArrowBatch]) -> Iterator[bytes]:
    """Yields batches of text columns as CSV: NULL is empty, every value is quoted."""
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False)  # type: ignore[attr-defined]
    for batch in batches:
        sink = BytesIO()
        csv.write_csv(batch, sink, options)  # type: ignore[attr-defined]
        block = sink.getvalue()
        if b"\0" in block:
            raise _HoldsNulError
        yield block
