"""The `penstock` schema: the ledger of loads, the files they read, the rows they rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from penstock.artifacts import Interval, StagedBatch, TableRef
from penstock.connections import ExternalStage, InternalStage
from penstock.ledger import LoadRecord, Span
from tasks.warehouses.ledger_rows import RECORD_COLUMNS, check_version, in_utc, record_of, record_values
from tasks.warehouses.quoting import Scalar
from tasks.warehouses.snowflake.quoting import literal, literals
from tasks.warehouses.snowflake.session import Sql
from tasks.warehouses.snowflake.templates import migrations, statement

_Row = TypeVar("_Row")

_VERSION_COLUMNS = "version NUMBER(38, 0) NOT NULL, applied_at TIMESTAMP_TZ NOT NULL"
ROWS_PER_STATEMENT = 1000
"""Snowflake takes up to 16,384 rows in a VALUES clause, and 1 MB of text in a statement."""


def current_version(sql: Sql) -> int:
    """Returns the number of the last migration that was applied, 0 before the first."""
    rows = sql.rows_if_exists("SELECT coalesce(max(version), 0) FROM penstock.schema_version")
    return int(rows[0][0]) if rows else 0


def migration_statements(applied: int, stage: InternalStage | ExternalStage) -> list[str]:
    """Returns the statements that bring the `penstock` schema up to date.

    Every statement may run twice: DDL commits by itself, so a migration that was stopped is run again from its start.

    Args:
        applied: Number of the last migration that was applied; 0 before the first.
        stage: The warehouse's stage; an internal one is made, too.

    Raises:
        ConfigurationError: the schema was made by a newer Penstock.
    """
    known = migrations()
    check_version(applied, known[-1][0])
    if applied == known[-1][0]:
        return []
    statements = [
        "CREATE SCHEMA IF NOT EXISTS penstock",
        f"CREATE TABLE IF NOT EXISTS penstock.schema_version ({_VERSION_COLUMNS})",
    ]
    statements.append("CREATE FILE FORMAT IF NOT EXISTS penstock.penstock_parquet TYPE = PARQUET")
    if isinstance(stage, InternalStage):
        statements.append(f"CREATE STAGE IF NOT EXISTS penstock.{stage.name}")
    for number, script in known:
        if number > applied:
            statements += [part.strip() for part in script.split(";\n") if part.strip()]
            statements.append(
                f"INSERT INTO penstock.schema_version SELECT {number}, CURRENT_TIMESTAMP() "
                f"WHERE NOT EXISTS (SELECT 1 FROM penstock.schema_version WHERE version = {number})"
            )
    return statements


def migrate(sql: Sql, stage: InternalStage | ExternalStage) -> None:
    """Applies the migrations that are missing; not inside a transaction."""
    for ddl in migration_statements(current_version(sql), stage):
        sql.run(ddl)


def has_batch(sql: Sql, batch_id: str) -> bool:
    """Returns whether a batch is in the ledger."""
    return bool(sql.count(f"SELECT count(*) FROM penstock.loads WHERE batch_id = {literal(batch_id)}"))


def load_records(sql: Sql, *, targets: Sequence[TableRef] = (), touching: Span | None = None) -> list[LoadRecord]:
    """Returns ledger rows in the order they were committed."""
    of_targets = "true"
    if targets:
        of_targets = f"target_schema || '.' || target_table IN ({literals(str(target) for target in targets)})"
    if touching is None:
        return _records(sql, of_targets)
    start, end = (literal(bound) for bound in touching)
    values = {"of_targets": of_targets, "start": start, "end": end}
    return _records(sql, statement("ledger", "touching", values))


def touching_records(sql: Sql, target: TableRef, interval: Interval, strategy: str) -> list[LoadRecord]:
    """Returns the target's ledger rows that can say something of an interval: those that overlap or adjoin it.

    As `penstock.ledger.held` does, it leaves out what a full refresh has replaced, unless a full refresh asks.
    """
    of_target = condition = _of_target(target)
    if strategy != "full_refresh":
        refreshed = f"SELECT max(load_number) FROM penstock.loads WHERE {of_target} AND strategy = 'full_refresh'"
        condition += f" AND load_number >= coalesce(({refreshed}), 0)"
    if interval.is_full:
        return _records(sql, f"{condition} AND interval_start IS NULL AND as_of = {literal(interval.as_of)}")
    start, end = (literal(bound) for bound in interval.bounds())
    return _records(sql, f"{condition} AND interval_start <= {end} AND interval_end >= {start}")


def last_extraction(sql: Sql, target: TableRef) -> datetime | None:
    """Returns when the newest extraction was made that the target holds."""
    newest = sql.rows(f"SELECT max(extracted_at) FROM penstock.loads WHERE {_of_target(target)}")
    found = in_utc(newest[0][0]) if newest else None
    return found if isinstance(found, datetime) else None


def write_record(sql: Sql, record: LoadRecord) -> None:
    """Adds a row to the ledger."""
    columns = ", ".join(RECORD_COLUMNS)
    sql.run(
        f"INSERT INTO penstock.loads (load_number, {columns}) "
        f"SELECT penstock.load_number.NEXTVAL, {literals(record_values(record))}"
    )


def write_files(sql: Sql, target: TableRef, batch: StagedBatch, loaded_at: datetime) -> None:
    """Adds the files of a batch."""
    _insert(
        sql,
        "files",
        [
            (
                batch.batch_id,
                target.schema_name,
                target.name,
                file.source_name,
                file.source_etag,
                file.key,
                file.etag,
                file.size_bytes,
                file.row_count,
                loaded_at,
                file.source_key,
                file.source_size_bytes,
                file.source_modified_at,
            )
            for file in batch.files
        ],
    )


def write_rejects(
    sql: Sql,
    target: TableRef,
    batch_id: str,
    rejects: Sequence[tuple[str, int | None, str, str | None]],
    rejected_at: datetime,
) -> None:
    """Keeps the rejected rows: (source file, line, reason, raw text)."""
    ours = (batch_id, target.schema_name, target.name)
    _insert(sql, "rejects", [(*ours, *row, rejected_at) for row in rejects])


def seen_files(sql: Sql, target: TableRef, candidates: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Returns those of (source name, etag) that the table holds: the last load of that name had that etag."""
    seen: set[tuple[str, str]] = set()
    for chunk in _chunks(candidates):
        names = ", ".join(f"({literals(candidate)})" for candidate in chunk)
        query = statement("ledger", "seen_files", {"of_target": _of_target(target, "f."), "candidates": names})
        seen |= {(name, etag) for name, etag in sql.rows(query)}
    return seen


def _insert(sql: Sql, table: str, rows: Sequence[Sequence[Scalar]]) -> None:
    for chunk in _chunks(rows):
        values = ", ".join(f"({literals(row)})" for row in chunk)
        sql.run(f"INSERT INTO penstock.{table} VALUES {values}")


def _chunks(rows: Sequence[_Row]) -> Iterator[Sequence[_Row]]:
    for start in range(0, len(rows), ROWS_PER_STATEMENT):
        yield rows[start : start + ROWS_PER_STATEMENT]


def _of_target(target: TableRef, prefix: str = "") -> str:
    schema, name = literal(target.schema_name), literal(target.name)
    return f"{prefix}target_schema = {schema} AND {prefix}target_table = {name}"


def _records(sql: Sql, condition: str) -> list[LoadRecord]:
    columns = ", ".join(RECORD_COLUMNS)
    query = f"SELECT {columns} FROM penstock.loads WHERE {condition} ORDER BY load_number"
    return [record_of(row) for row in sql.rows(query)]
