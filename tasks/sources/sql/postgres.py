"""PostgreSQL: COPY of a snapshot that several connections share, each reading a range of the table's pages.

A table's rows are read in ranges of `ctid`, which every table has and which follow the disk (PostgreSQL 14, "TID range
scan"). The snapshot is exported by the session that counts, and imported by those that read (PostgreSQL,
"Snapshot Synchronization Functions"), so that all see one moment, and the count is of the same.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from datetime import date, datetime
from selectors import EVENT_READ, DefaultSelector
from typing import TYPE_CHECKING, Any

from penstock.artifacts import Interval
from penstock.connections import PostgresConnection
from penstock.sources.sql import SqlDataset
from tasks.sources.sql import postgres_types
from tasks.sources.sql.columns import ReadColumn, Table, TableColumn
from tasks.sources.sql.postgres_fields import CopyDecoder
from tasks.sources.sql.session import (
    Blocks,
    Counts,
    Reading,
    Selection,
    choose_rows,
    no_clock,
    no_table,
    split_relation,
)
from tasks.sources.sql.window import ColumnClock, clock_of, column_bounds
from tasks.warehouses.postgres.connection import connection_arguments
from tasks.warehouses.quoting import identifier, literal

if TYPE_CHECKING:
    import psycopg

_SETTINGS = {
    "client_encoding": "UTF8",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "TimeZone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "idle_in_transaction_session_timeout": "0",
}
_BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_CLOCKS: dict[str, ColumnClock] = {
    "date": "date",
    "timestamp without time zone": "naive",
    "timestamp with time zone": "instant",
}
_CASTS: dict[str, str] = {"date": "::date", "naive": "::timestamp", "instant": "::timestamptz"}
BLOCK_BYTES = 4 * 2**20
"""How much text of a range is decoded at once; it becomes one row group. Each range holds two such blocks."""

_FIRST_WITH_RANGES = 140_000
_PAGES_PER_RANGE = 16_384
"""128 MB: less is read faster than another connection is made."""
_MOST_RANGES = 4

_RELATION = """
SELECT c.oid::bigint, n.nspname, c.relname,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) / current_setting('block_size')::int ELSE 0 END
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'm', 'v', 'p', 'f')
"""
_COLUMNS = """
SELECT a.attname, format_type(b.oid, NULL), format_type(a.atttypid, a.atttypmod), a.attnotnull OR t.typnotnull,
       CASE WHEN a.atttypmod = -1 THEN t.typtypmod ELSE a.atttypmod END, b.typcategory, b.typtype
FROM pg_attribute AS a
JOIN pg_type AS t ON t.oid = a.atttypid
JOIN pg_type AS b ON b.oid = COALESCE(NULLIF(t.typbasetype, 0), t.oid)
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""


@contextmanager
def open_postgres(settings: PostgresConnection) -> Iterator[PostgresSession]:
    """Opens a database for one extraction: its first connection holds the snapshot until the end."""
    with ExitStack() as opened:
        yield PostgresSession(settings, opened)


class PostgresSession:
    """A PostgreSQL database in one snapshot; see `tasks.sources.sql.session`."""

    def __init__(self, settings: PostgresConnection, opened: ExitStack) -> None:
        self._settings = settings
        self._opened = opened
        self._connections: list[psycopg.Connection[Any]] = []
        self._first = self._connect()
        self._first.execute(_BEGIN)
        self._snapshot = self._value("SELECT pg_export_snapshot()")

    def describe(self, relation: str) -> Table:
        """Looks a table up in the snapshot."""
        schema, name = split_relation(relation)
        quoted = ".".join(identifier(part) for part in (schema, name) if part)
        found = self._first.execute(_RELATION, [quoted]).fetchone()
        if found is None:
            raise no_table(relation)
        oid, schema, name, pages = found
        columns = tuple(_column(row) for row in self._first.execute(_COLUMNS, [oid]).fetchall())
        return Table(schema, name, columns, pages)

    def read_columns(self, table: Table, dataset: SqlDataset) -> tuple[ReadColumn, ...]:
        """Returns how a dataset's columns are read."""
        return postgres_types.read_columns(table, dataset)

    def select(self, table: Table, dataset: SqlDataset, interval: Interval, timezone: str) -> Selection:
        """Returns which rows an interval has."""
        if dataset.window_column is None or interval.is_full:
            return Selection()
        column = table.column(dataset.window_column, "window_column")
        clock = clock_of(column.type, dataset.window_type, clocks=_CLOCKS, numbers=postgres_types.INTEGERS)
        if clock is None:
            raise no_clock(table, column.name, column.declared)
        bounds = column_bounds(interval, clock, timezone)
        name, cast = identifier(column.name), _CASTS.get(clock, "")
        condition = f"{name} >= {_value(bounds.start)}{cast} AND {name} < {_value(bounds.end)}{cast}"
        return choose_rows(condition, f"{name} IS NULL" if column.nullable else "", dataset, bounds.widened)

    def read(self, table: Table, columns: Sequence[ReadColumn], selection: Selection, *, ranges: int | None) -> Reading:
        """Begins to read a table; the count runs beside the parts."""
        name = _name(table)
        chosen = ", ".join(f"{column.expression} AS c{position}" for position, column in enumerate(columns))
        parts: list[Blocks] = []
        for condition in self._ranges(table, selection, ranges):
            clauses = " AND ".join(filter(None, (selection.condition, condition)))
            query = f"SELECT {chosen} FROM {name}" + (f" WHERE {clauses}" if clauses else "")  # noqa: S608
            parts.append(_Part(self._import_snapshot(), f"COPY ({query}) TO STDOUT"))
        if table.pages and not selection.condition:
            # One process counts a whole table long before it is read, and leaves the others to the readers.
            self._first.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        counts: Future[Counts] = Future()
        counting = threading.Thread(target=self._count, args=(name, selection, counts), name="penstock-count")
        counting.start()
        # libpq crashes where a connection is closed that another thread uses.
        self._opened.callback(counting.join)
        return Reading(parts, counts, CopyDecoder(table.label, columns))

    def try_reading(self, table: Table, columns: Sequence[ReadColumn]) -> None:
        """Has the server check that the columns may be read, without a row."""
        chosen = ", ".join(column.expression for column in columns)
        self._first.execute(f"SELECT {chosen} FROM {_name(table)} LIMIT 0")  # noqa: S608

    def stop(self) -> None:
        """Asks the server to end what the connections do."""
        for connection in self._connections:
            with suppress(Exception):
                connection.cancel_safe(timeout=5)

    def _ranges(self, table: Table, selection: Selection, wanted: int | None) -> list[str]:
        """Returns conditions that part a table's pages; the last has no end, for what was added meanwhile."""
        by_size = min(_MOST_RANGES, os.cpu_count() or 1, 1 + table.pages // _PAGES_PER_RANGE)
        # A window is found by its index, if there is one; a range would lead through all of the table.
        count = wanted or (1 if selection.condition else by_size)
        if count == 1 or not table.pages or self._first.info.server_version < _FIRST_WITH_RANGES:
            return [""]
        edges = sorted({table.pages * number // count for number in range(1, count)} - {0})
        starts = ["", *(f"ctid >= '({edge},0)'" for edge in edges)]
        ends = [*(f"ctid < '({edge},0)'" for edge in edges), ""]
        return [" AND ".join(filter(None, pair)) for pair in zip(starts, ends, strict=True)]

    def _count(self, name: str, selection: Selection, counts: Future[Counts]) -> None:
        try:
            rows = self._value(f"SELECT count(*) FROM {name}{selection.where}")  # noqa: S608
            nulls = selection.null_condition
            null_rows = self._value(f"SELECT count(*) FROM {name} WHERE {nulls}") if nulls else 0  # noqa: S608
        except BaseException as error:  # noqa: BLE001 - the reader that waits for the count raises it
            counts.set_exception(error)
        else:
            counts.set_result(Counts(rows, null_rows))

    def _import_snapshot(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        connection.execute(_BEGIN)
        connection.execute(f"SET TRANSACTION SNAPSHOT {literal(self._snapshot)}")
        return connection

    def _connect(self) -> psycopg.Connection[Any]:
        import psycopg

        connection = psycopg.connect(
            autocommit=True,
            cursor_factory=psycopg.RawCursor,
            prepare_threshold=None,
            **connection_arguments(self._settings),
        )
        self._opened.callback(connection.close)
        wanted = {**_SETTINGS, "statement_timeout": f"{self._settings.statement_timeout_seconds}s"}
        connection.execute("; ".join(f"SET {name} = {literal(value)}" for name, value in wanted.items()))
        self._connections.append(connection)
        return connection

    def _value(self, query: str) -> Any:
        found = self._first.execute(query).fetchone()
        return found[0] if found else None


class _Part:
    """The rows of one COPY, read through libpq: psycopg's own loop costs three times its processor time a row."""

    def __init__(self, connection: psycopg.Connection[Any], statement: str) -> None:
        self._connection = connection
        self._statement = statement

    def __call__(self) -> Generator[bytearray, None, None]:
        from psycopg import OperationalError
        from psycopg.pq import ExecStatus

        link = self._connection.pgconn
        started = link.exec_(self._statement.encode())
        if started.status != ExecStatus.COPY_OUT:
            raise self._failure(started)
        try:
            yield from self._blocks()
        except OperationalError:
            raise self._failure(link.get_result()) from None
        ended = link.get_result()
        if ended is None or ended.status != ExecStatus.COMMAND_OK:
            raise self._failure(ended)

    def _blocks(self) -> Generator[bytearray, None, None]:
        link = self._connection.pgconn
        get = link.get_copy_data
        block = bytearray()
        with DefaultSelector() as selector:
            selector.register(link.socket, EVENT_READ)
            while True:
                length, row = get(1)
                if length > 0:
                    block += row
                elif not length:
                    # All that has come is taken: a few rows, so that blocks are cut here rather than after each.
                    if len(block) >= BLOCK_BYTES:
                        yield block
                        block = bytearray()
                    # While libpq itself waits, no other thread of Python's runs.
                    selector.select()
                    link.consume_input()
                else:
                    break
        if block:
            yield block

    def _failure(self, result: Any) -> Exception:
        from psycopg import OperationalError, errors

        if result is None or not result.error_message:
            return OperationalError("the connection broke while rows were read")
        return errors.error_from_result(result, encoding="utf-8")


def _name(table: Table) -> str:
    return f"{identifier(table.schema)}.{identifier(table.name)}"


def _column(row: Sequence[Any]) -> TableColumn:
    name, of_type, declared, not_null, modifier, category, sort = row
    precision, scale = (None, None)
    if of_type == "numeric" and modifier is not None and modifier >= 4:  # noqa: PLR2004 - the header of a modifier
        # "numeric.c": precision in the upper half, an eleven-bit signed scale in the lower.
        packed = modifier - 4
        precision, scale = packed >> 16 & 0xFFFF, ((packed & 0x7FF) ^ 0x400) - 0x400
    special = "array" if category == "A" else "composite" if sort == "c" else ""
    return TableColumn(name, of_type, declared, precision, scale, nullable=not not_null, sort=special)


def _value(bound: date | datetime | int) -> str:
    return str(bound) if isinstance(bound, int) else literal(bound.isoformat())
