"""The `penstock` schema: the ledger of loads, the files they read, the rows they rejected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from penstock.artifacts import Interval, StagedBatch, TableRef
from penstock.errors import ConfigurationError
from penstock.ledger import LoadRecord, Span
from tasks.warehouses.ledger_rows import RECORD_COLUMNS, check_version, in_utc, record_of, record_values
from tasks.warehouses.postgres.connection import Sql, lock_in_transaction, transaction
from tasks.warehouses.postgres.templates import migrations
from tasks.warehouses.quoting import identifier, identifiers, literal

_OLDEST_SERVER = 150000
_OF_TARGET = "target_schema = $1 AND target_table = $2"

_TOUCHING = """(
    (interval_start <= {end} AND interval_end >= {start})
    OR (interval_start IS NULL AND as_of BETWEEN {start} AND {end})
    OR load_number IN (
        SELECT unnest(ARRAY[
            max(load_number),
            max(load_number) FILTER (WHERE strategy = 'full_refresh'),
            (array_agg(load_number ORDER BY interval_end DESC, load_number)
                FILTER (WHERE run_kind = 'forward' AND interval_end IS NOT NULL))[1]
        ])
        FROM penstock.loads
        WHERE {of_targets}
        GROUP BY target_schema, target_table
    )
)"""


def current_version(sql: Sql) -> int:
    """Returns the number of the last migration that was applied, 0 before the first."""
    # Not to_regclass: within a transaction it may answer from before the lock that this waited for.
    exists = (
        "SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE n.nspname = 'penstock' AND c.relname = 'schema_version'"
    )
    if not sql.count(exists):
        return 0
    return sql.count("SELECT coalesce(max(version), 0) FROM penstock.schema_version")


def migrate(sql: Sql) -> None:
    """Applies the migrations that are missing, in one transaction; not inside another.

    Raises:
        ConfigurationError: the schema was made by a newer Penstock, or the server cannot serve as a warehouse.
        RejectedError: the user may not create a schema.
    """
    known = migrations()
    applied = current_version(sql)
    check_version(applied, known[-1][0])
    if applied == known[-1][0]:
        return
    _check_server(sql)
    with transaction(sql):
        lock_in_transaction(sql, "migrate")
        applied = current_version(sql)
        if applied == 0:
            _create_schema(sql, "penstock")
            sql.run("CREATE TABLE penstock.schema_version (version INTEGER NOT NULL, applied_at TIMESTAMPTZ NOT NULL)")
        for number, script in known:
            if number > applied:
                sql.run(script)
                sql.run("INSERT INTO penstock.schema_version VALUES ($1, now())", [number])
        sql.run("COMMIT")


def ensure_schema(sql: Sql, name: str) -> None:
    """Creates a schema where there is none, in a transaction of its own.

    Two loads that created one schema at once would wait for each other to the end.
    """
    if _has_schema(sql, name):
        return
    with transaction(sql):
        lock_in_transaction(sql, "schema")
        _create_schema(sql, name)
        sql.run("COMMIT")


def has_batch(sql: Sql, batch_id: str) -> bool:
    """Returns whether a batch is in the ledger."""
    return bool(sql.count("SELECT count(*) FROM penstock.loads WHERE batch_id = $1", [batch_id]))


def load_records(sql: Sql, *, targets: Sequence[TableRef] = (), touching: Span | None = None) -> list[LoadRecord]:
    """Returns ledger rows in the order they were committed."""
    condition = "true"
    if targets:
        named = ", ".join(f"({literal(target.schema_name)}, {literal(target.name)})" for target in targets)
        condition = f"(target_schema, target_table) IN ({named})"
    if touching is not None:
        start, end = (literal(bound) for bound in touching)
        condition = f"{condition} AND {_TOUCHING.format(start=start, end=end, of_targets=condition)}"
    return _records(sql, condition)


def touching_records(sql: Sql, target: TableRef, interval: Interval, strategy: str) -> list[LoadRecord]:
    """Returns the target's ledger rows that can say something of an interval: those that overlap or adjoin it.

    As `penstock.ledger.held` does, it leaves out what a full refresh has replaced, unless a full refresh asks.
    """
    parameters: list[Any] = [target.schema_name, target.name]
    condition = _OF_TARGET
    if strategy != "full_refresh":
        refreshed = f"SELECT max(load_number) FROM penstock.loads WHERE {_OF_TARGET} AND strategy = 'full_refresh'"
        condition += f" AND load_number >= coalesce(({refreshed}), 0)"
    if interval.is_full:
        return _records(sql, f"{condition} AND interval_start IS NULL AND as_of = $3", [*parameters, interval.as_of])
    start, end = interval.bounds()
    return _records(sql, f"{condition} AND interval_start <= $3 AND interval_end >= $4", [*parameters, end, start])


def last_extraction(sql: Sql, target: TableRef) -> datetime | None:
    """Returns when the newest extraction was made that the target holds."""
    query = f"SELECT max(extracted_at) FROM penstock.loads WHERE {_OF_TARGET}"
    newest: datetime | None = in_utc(sql.rows(query, [target.schema_name, target.name])[0][0])
    return newest


def write_record(sql: Sql, record: LoadRecord) -> None:
    """Adds a row to the ledger, numbered in the order of commits: the others wait until this one is through."""
    lock_in_transaction(sql, "ledger")
    marks = ", ".join(f"${number}" for number in range(1, len(RECORD_COLUMNS) + 1))
    sql.run(
        f"INSERT INTO penstock.loads (load_number, {identifiers(RECORD_COLUMNS)}) "
        f"VALUES ((SELECT coalesce(max(load_number), 0) + 1 FROM penstock.loads), {marks})",
        record_values(record),
    )


def write_files(sql: Sql, target: TableRef, batch: StagedBatch, loaded_at: datetime) -> None:
    """Adds the files of a batch."""
    files = batch.files
    sql.run(
        "INSERT INTO penstock.files SELECT $1, $2, $3, f.name, f.etag, f.stage_key, f.stage_etag, f.size, f.rows, $10, "
        "f.source_key, f.source_size, f.modified FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], "
        "$8::bigint[], $9::bigint[], $11::text[], $12::bigint[], $13::timestamptz[]) "
        "AS f(name, etag, stage_key, stage_etag, size, rows, source_key, source_size, modified)",
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
        "WITH wanted AS (SELECT * FROM unnest($3::text[], $4::text[]) AS w(source_name, source_etag)), "
        "held AS (SELECT DISTINCT ON (1) coalesce(f.source_key, f.source_name) AS source_name, f.source_etag "
        "FROM penstock.files AS f JOIN penstock.loads AS l USING (batch_id) "
        "WHERE f.target_schema = $1 AND f.target_table = $2 "
        "AND coalesce(f.source_key, f.source_name) IN (SELECT source_name FROM wanted) "
        "ORDER BY 1, l.load_number DESC) "
        "SELECT source_name, source_etag FROM held JOIN wanted USING (source_name, source_etag)"
    )
    names, etags = [name for name, _ in candidates], [etag for _, etag in candidates]
    return {(name, etag) for name, etag in sql.rows(query, [target.schema_name, target.name, names, etags])}


def _records(sql: Sql, condition: str, parameters: Sequence[Any] = ()) -> list[LoadRecord]:
    query = f"SELECT {identifiers(RECORD_COLUMNS)} FROM penstock.loads WHERE {condition} ORDER BY load_number"
    return [record_of(row) for row in sql.rows(query, parameters)]


def _has_schema(sql: Sql, name: str) -> bool:
    return bool(sql.count("SELECT count(*) FROM pg_namespace WHERE nspname = $1", [name]))


def _create_schema(sql: Sql, name: str) -> None:
    # Asked first, because IF NOT EXISTS wants the right to create one even where there is one.
    if not _has_schema(sql, name):
        sql.run(f"CREATE SCHEMA {identifier(name)}")


def _check_server(sql: Sql) -> None:
    version, encoding = sql.rows(
        "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding')"
    )[0]
    if version < _OLDEST_SERVER or encoding != "UTF8":
        raise ConfigurationError(
            "the database cannot serve as a warehouse",
            guidance="Use PostgreSQL 15 or newer, and a database with the encoding UTF8.",
            server_version=version,
            encoding=encoding,
        )
