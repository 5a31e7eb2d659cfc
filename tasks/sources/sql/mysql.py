"""MySQL and MariaDB: one SELECT, and how many rows it had, in one transaction.

A consistent snapshot cannot be shared between connections here, as PostgreSQL's can (`START TRANSACTION WITH CONSISTENT
SNAPSHOT` is a session's own), so a table is read by one connection. Tables of one run are read side by side, each in a
moment of its own. Only InnoDB keeps snapshots; another engine's table is what one statement finds, and MySQL's count
refuses it where it changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from penstock.artifacts import Interval
from penstock.connections import MySqlConnection
from penstock.sources.sql import SqlDataset
from tasks.sources.sql import mysql_types
from tasks.sources.sql.columns import ReadColumn, Table, TableColumn
from tasks.sources.sql.mysql_fields import PacketsDecoder, too_long
from tasks.sources.sql.mysql_quoting import quoted
from tasks.sources.sql.mysql_rows import Packets, TooLongError, stream_rows
from tasks.sources.sql.session import Counts, Reading, Selection, choose_rows, no_clock, no_table, split_relation
from tasks.sources.sql.window import ColumnClock, clock_of, column_bounds

if TYPE_CHECKING:
    import pymysql

_CLOCKS: dict[str, ColumnClock] = {"date": "date", "datetime": "naive", "timestamp": "instant"}

_RELATION = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_schema = COALESCE(%s, DATABASE()) AND table_name = %s
"""
_COLUMNS = """
SELECT column_name, data_type, column_type, is_nullable, numeric_precision, numeric_scale
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""


@contextmanager
def open_mysql(settings: MySqlConnection) -> Iterator[MySqlSession]:
    """Opens a database for one extraction."""
    import pymysql

    connection = pymysql.connect(**connection_arguments(settings))
    try:
        with connection.cursor() as cursor:
            for statement in session_statements(settings, connection):
                cursor.execute(statement)
        yield MySqlSession(connection, is_mariadb=_is_mariadb(connection))
    finally:
        with suppress(Exception):
            connection.close()


def connection_arguments(settings: MySqlConnection) -> dict[str, Any]:
    """Returns a connection as PyMySQL takes it."""
    arguments: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "database": settings.database,
        "user": settings.user,
        "password": settings.password.get_secret_value() if settings.password else "",
        "connect_timeout": settings.connect_timeout_seconds,
        "read_timeout": settings.statement_timeout_seconds,
        "charset": "utf8mb4",
        "autocommit": True,
        "program_name": "penstock",
    }
    if settings.tls == "disable":
        return {**arguments, "ssl_disabled": True}
    import ssl

    context = ssl.create_default_context(cafile=settings.tls_ca)
    context.check_hostname = settings.tls == "verify-full"
    context.verify_mode = ssl.CERT_NONE if settings.tls == "require" else ssl.CERT_REQUIRED
    return {**arguments, "ssl": context}


def session_statements(settings: MySqlConnection, connection: pymysql.Connection[Any]) -> list[str]:
    """Returns what a session begins with: UTC, no odd SQL mode, read only, and the server's own time limit."""
    limit = settings.statement_timeout_seconds
    name, value = ("max_statement_time", limit) if _is_mariadb(connection) else ("max_execution_time", limit * 1000)
    return [
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION sql_mode = ''",
        "SET SESSION TRANSACTION READ ONLY",
        # The server would end the session when the lake takes a minute to store a file.
        f"SET SESSION net_write_timeout = {limit}",
        f"SET SESSION {name} = {value}",
    ]


class MySqlSession:
    """A MySQL or MariaDB database; see `tasks.sources.sql.session`."""

    def __init__(self, connection: pymysql.Connection[Any], *, is_mariadb: bool) -> None:
        self._connection = connection
        self._is_mariadb = is_mariadb

    def describe(self, relation: str) -> Table:
        """Looks a table up."""
        schema, name = split_relation(relation)
        found = self._rows(_RELATION, (schema, name))
        if not found:
            raise no_table(relation)
        schema, name = found[0]
        columns = tuple(_column(row) for row in self._rows(_COLUMNS, (schema, name)))
        return Table(str(schema), str(name), columns)

    def read_columns(self, table: Table, dataset: SqlDataset) -> tuple[ReadColumn, ...]:
        """Returns how a dataset's columns are read."""
        return mysql_types.read_columns(table, dataset)

    def select(self, table: Table, dataset: SqlDataset, interval: Interval, timezone: str) -> Selection:
        """Returns which rows an interval has."""
        if dataset.window_column is None or interval.is_full:
            return Selection()
        column = table.column(dataset.window_column, "window_column")
        clock = clock_of(column.type, dataset.window_type, clocks=_CLOCKS, numbers=mysql_types.INTEGERS)
        if clock is None:
            raise no_clock(table, column.name, column.declared)
        bounds = column_bounds(interval, clock, timezone)
        name = quoted(column.name)
        condition = f"{name} >= {_value(bounds.start)} AND {name} < {_value(bounds.end)}"
        return choose_rows(condition, f"{name} IS NULL" if column.nullable else "", dataset, bounds.widened)

    def read(self, table: Table, columns: Sequence[ReadColumn], selection: Selection, *, ranges: int | None) -> Reading:
        """Begins to read a table; ranges are for databases whose snapshots can be shared."""
        del ranges
        counts: Future[Counts] = Future()

        def blocks() -> Generator[Packets, None, None]:
            try:
                self._run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                yield from stream_rows(self._connection, read_statement(table, columns, selection))
                counts.set_result(self._count(table, selection))
            except TooLongError:
                raise too_long(table.label) from None

        return Reading([blocks], counts, PacketsDecoder(table.label, columns))

    def try_reading(self, table: Table, columns: Sequence[ReadColumn]) -> None:
        """Has the server check that the columns may be read, without a row."""
        self._run(f"{read_statement(table, columns, Selection())} LIMIT 0")

    def stop(self) -> None:
        """Does nothing: the only part has ended when somebody asks."""

    def _count(self, table: Table, selection: Selection) -> Counts:
        """Asks the server how many rows there were, right behind the statement that read them.

        MariaDB has counted what it sent, and tells; MySQL means to drop the function (FOUND_ROWS), and counts again.
        """
        rows = self._number("SELECT FOUND_ROWS()" if self._is_mariadb else _counting(table, selection.where))
        nulls = selection.null_condition
        return Counts(rows, self._number(_counting(table, f" WHERE {nulls}")) if nulls else 0)

    def _number(self, query: str) -> int:
        return int(self._rows(query, ())[0][0])

    def _run(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def _rows(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return list(cursor.fetchall())


def read_statement(table: Table, columns: Sequence[ReadColumn], selection: Selection) -> str:
    """Returns the statement that reads a table."""
    fields = ", ".join(column.expression for column in columns)
    return f"SELECT {fields} FROM {_name(table)}{selection.where}"  # noqa: S608


def _counting(table: Table, where: str) -> str:
    return f"SELECT COUNT(*) FROM {_name(table)}{where}"  # noqa: S608


def _is_mariadb(connection: pymysql.Connection[Any]) -> bool:
    return "mariadb" in str(connection.get_server_info()).lower()  # type: ignore[no-untyped-call]


def _name(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def _column(row: Sequence[Any]) -> TableColumn:
    name, of_type, declared, nullable, precision, scale = row
    return TableColumn(
        str(name),
        str(of_type).lower(),
        str(declared),
        int(precision) if precision is not None else None,
        int(scale) if scale is not None else None,
        nullable=nullable == "YES",
        unsigned="unsigned" in str(declared).lower(),
    )


def _value(bound: date | datetime | int) -> str:
    if isinstance(bound, int):
        return str(bound)
    text = bound.replace(tzinfo=None).isoformat(" ") if isinstance(bound, datetime) else bound.isoformat()
    return f"'{text}'"
