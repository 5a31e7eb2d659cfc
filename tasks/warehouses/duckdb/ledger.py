"""The `penstock` schema: the ledger of loads, the files they read, the rows they rejected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from penstock.artifacts import Interval, StagedBatch, TableRef
from penstock.ledger import LoadRecord, Span
from tasks.warehouses.duckdb.connection import Sql, transaction
from tasks.warehouses.duckdb.templates import migrations
from tasks.warehouses.ledger_rows import RECORD_COLUMNS, check_version, in_utc, record_of, record_values
from tasks.warehouses.quoting import identifiers

_TOUCHING = """(
    (interval_start <= ? AND interval_end >= ?)
    OR (interval_start IS NULL AND as_of BETWEEN ? AND ?)
    OR load_number IN (
        SELECT unnest([
            max(load_number),
            max(load_number) FILTER (strategy = 'full_refresh'),
            arg_max(load_number, interval_end) FILTER (run_kind = 'forward')
        ])
        FROM penstock.loads
        WHERE {of_targets}
        GROUP BY target_schema, target_table
    )
)"""


def current_version(sql: Sql) -> int:
    """Returns the number of the last migration that was applied, 0 before the first; not inside a transaction."""
    rows = sql.rows_if_exists("SELECT coalesce(max(version), 0) FROM penstock.schema_version")
    return int(rows[0][0]) if rows else 0


def migrate(sql: Sql) -> None:
    """Applies the migrations that are missing, in one transaction; not inside another.

    Raises:
        ConfigurationError: the schema was made by a newer Penstock.
    """
    applied, known = current_version(sql), migrations()
    check_version(applied, known[-1][0])
    if applied == known[-1][0]:
        return
    with transaction(sql):
        if applied == 0:
            sql.run("CREATE SCHEMA IF NOT EXISTS penstock")
            sql.run("CREATE TABLE penstock.schema_version (version INTEGER NOT NULL, applied_at TIMESTAMPTZ NOT NULL)")
        for number, script in known:
            if number > applied:
                sql.run(script)
                sql.run("INSERT INTO penstock.schema_version VALUES (?, now())", [number])
        sql.run("COMMIT")


def has_batch(sql: Sql, batch_id: str) -> bool:
    """Returns whether a batch is in the ledger."""
    return bool(sql.count("SELECT count(*) FROM penstock.loads WHERE batch_id = ?", [batch_id]))


def load_records(sql: Sql, *, targets: Sequence[TableRef] = (), touching: Span | None = None) -> list[LoadRecord]:
    """Returns ledger rows in the order they were committed."""
    condition, parameters = "true", list[Any]()
    if targets:
        condition = "(target_schema || '.' || target_table) IN (SELECT unnest(?))"
        parameters.append([str(target) for target in targets])
    if touching is not None:
        start, end = touching
        condition = f"{condition} AND {_TOUCHING.format(of_targets=condition)}"
        parameters += [end, start, start, end, *parameters]
    return _records(sql, condition, parameters)


def touching_records(sql: Sql, target: TableRef, interval: Interval, strategy: str) -> list[LoadRecord]:
    """Returns the target's ledger rows that can say something of an interval: those that overlap or adjoin it.

    As `penstock.ledger.held` does, it leaves out what a full refresh has replaced, unless a full refresh asks.
    """
    of_target = "target_schema = ? AND target_table = ?"
    parameters: list[Any] = [target.schema_name, target.name]
    if strategy != "full_refresh":
        refreshed = f"SELECT max(load_number) FROM penstock.loads WHERE {of_target} AND strategy = 'full_refresh'"
        of_target += f" AND load_number >= coalesce(({refreshed}), 0)"
        parameters *= 2
    if interval.is_full:
        return _records(sql, f"{of_target} AND interval_start IS NULL AND as_of = ?", [*parameters, interval.as_of])
    start, end = interval.bounds()
    return _records(sql, f"{of_target} AND interval_start <= ? AND interval_end >= ?", [*parameters, end, start])


def last_extraction(sql: Sql, target: TableRef) -> datetime | None:
    """Returns when the newest extraction was made that the target holds."""
    query = "SELECT max(extracted_at) FROM penstock.loads WHERE target_schema = ? AND target_table = ?"
    newest = sql.rows(query, [target.schema_name, target.name])
    return in_utc(newest[0][0]) if newest else None


def write_record(sql: Sql, record: LoadRecord) -> None:
    """Adds a row to the ledger."""
    marks = ", ".join("?" for _ in RECORD_COLUMNS)
    sql.run(
        f"INSERT INTO penstock.loads (load_number, {identifiers(RECORD_COLUMNS)}) "
        f"SELECT (SELECT coalesce(max(load_number), 0) + 1 FROM penstock.loads), {marks}",
        record_values(record),
    )


def write_files(sql: Sql, target: TableRef, batch: StagedBatch, loaded_at: datetime) -> None:
    """Adds the files of a batch."""
    files = batch.files
    sql.run(
        "INSERT INTO penstock.files SELECT ?, ?, ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::VARCHAR[]), unnest(?::BIGINT[]), unnest(?::BIGINT[]), ?, unnest(?::VARCHAR[]), unnest(?::BIGINT[]), "
        "unnest(?::TIMESTAMPTZ[])",
        [
            batch.batch_id,
            target.schema_name,
            target.name,
            [file.source_name for file in files],
            [file.source_etag for file in files],
            [file.key for file in files],
            [file.etag for file in files],
            [file.size_bytes for file in files],
            [file.row_count for file in files],
            loaded_at,
            [file.source_key for file in files],
            [file.source_size_bytes for file in files],
            [file.source_modified_at for file in files],
        ],
    )


def seen_files(sql: Sql, target: TableRef, candidates: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Returns those of (source name, etag) that the table holds: the last load of that name had that etag."""
    query = (
        "WITH held AS (SELECT coalesce(f.source_key, f.source_name) AS source_name, "
        "arg_max(f.source_etag, l.load_number) AS source_etag "
        "FROM penstock.files AS f JOIN penstock.loads AS l USING (batch_id) "
        "WHERE f.target_schema = ? AND f.target_table = ? GROUP BY ALL) "
        "SELECT source_name, source_etag FROM held SEMI JOIN (SELECT unnest(?::VARCHAR[]) AS source_name, "
        "unnest(?::VARCHAR[]) AS source_etag) USING (source_name, source_etag)"
    )
    names, etags = [name for name, _ in candidates], [etag for _, etag in candidates]
    return {(name, etag) for name, etag in sql.rows(query, [target.schema_name, target.name, names, etags])}


def _records(sql: Sql, condition: str, parameters: Sequence[Any]) -> list[LoadRecord]:
    query = f"SELECT {identifiers(RECORD_COLUMNS)} FROM penstock.loads WHERE {condition} ORDER BY load_number"
    return [record_of(row) for row in sql.rows(query, parameters)]
