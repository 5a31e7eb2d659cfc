"""Opens the database for one call: a connection of its own, in autocommit until a load begins its transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from penstock.connections import PostgresConnection
from tasks.warehouses.postgres.errors import explained
from tasks.warehouses.quoting import literal

if TYPE_CHECKING:
    import psycopg

APPLICATION_NAME = "penstock"

_SETTINGS = {
    "client_encoding": "UTF8",
    "standard_conforming_strings": "on",
    "DateStyle": "ISO, YMD",
    "TimeZone": "UTC",
    # A survey of large files happens inside the transaction, and only reads the files.
    "idle_in_transaction_session_timeout": "0",
    # Set statements over whole batches: the server's defaults are for many small queries.
    "work_mem": "64MB",
    "temp_buffers": "64MB",
    "jit": "off",
}


class Sql:
    """Runs statements on an open database; parameters are written `$1`, `$2`."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Runs a statement and returns how many rows it changed."""
        return max(self._connection.execute(statement, list(parameters) or None).rowcount, 0)

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs a statement once for each row of parameters."""
        with self._connection.cursor() as cursor:
            cursor.executemany(statement, rows)

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query."""
        return self._connection.execute(query, list(parameters) or None).fetchall()

    def count(self, query: str, parameters: Sequence[Any] = ()) -> int:
        """Returns the one number that a query gives."""
        return int(self.rows(query, parameters)[0][0])

    def named_rows(self, query: str, parameters: Sequence[Any] = ()) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
        """Returns the names of a query's columns, and its rows."""
        cursor = self._connection.execute(query, list(parameters) or None)
        if cursor.description is None:
            return (), []
        return tuple(column.name for column in cursor.description), cursor.fetchall()

    def copy_in(self, statement: str, chunks: Iterable[bytes]) -> int:
        """Streams bytes into a `COPY ... FROM STDIN` and returns the rows it stored.

        An error of `chunks` ends the statement on the server and is raised as it is.
        """
        with self._connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                for chunk in chunks:
                    copy.write(chunk)
            return cursor.rowcount


def connection_arguments(settings: PostgresConnection) -> dict[str, Any]:
    """Returns a connection as psycopg takes it; it holds the password."""
    return {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.database,
        "user": settings.user,
        "password": settings.password.get_secret_value() if settings.password else None,
        "sslmode": settings.sslmode,
        "sslrootcert": settings.sslrootcert,
        "connect_timeout": settings.connect_timeout_seconds,
        "application_name": APPLICATION_NAME,
        # A server that vanished is noticed within two minutes, not within two hours.
        "keepalives_idle": 60,
        "keepalives_interval": 15,
        "keepalives_count": 4,
    }


class Database:
    """The database that a connection names."""

    def __init__(self, settings: PostgresConnection) -> None:
        self.settings = settings

    @contextmanager
    def session(self, settings: Mapping[str, str] | None = None) -> Iterator[Sql]:
        """Opens a connection for one call, with settings of its own.

        Raises:
            ConfigurationError: there is no such server, database or user.
            RejectedError: the server refused the credentials, or a right is missing.
            TransientError: the server cannot be reached now, or the connection broke.
        """
        import psycopg

        with explained():
            connection = psycopg.connect(
                autocommit=True,
                cursor_factory=psycopg.RawCursor,
                prepare_threshold=None,
                **connection_arguments(self.settings),
            )
            try:
                # Not as options of the connection: poolers such as PgBouncer refuse those.
                wanted = {**_SETTINGS, **self._timeouts(), **(settings or {})}
                connection.execute("; ".join(f"SET {name} = {literal(value)}" for name, value in wanted.items()))
                yield Sql(connection)
            finally:
                connection.close()

    def _timeouts(self) -> dict[str, str]:
        return {
            "statement_timeout": f"{self.settings.statement_timeout_seconds}s",
            "lock_timeout": f"{max(1, round(self.settings.lock_timeout_seconds * 1000))}ms",
        }


@contextmanager
def transaction(sql: Sql) -> Iterator[None]:
    """Begins a transaction; it is undone unless the block ends well, and the block commits it itself.

    What the server answers to the ROLLBACK does not matter: it undoes what was not committed when a connection ends.
    """
    import psycopg

    sql.run("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            sql.run("ROLLBACK")
        raise


@contextmanager
def undoable(sql: Sql, name: str) -> Iterator[None]:
    """Sets a savepoint and goes back to it when the block fails; the error passes."""
    import psycopg

    sql.run(f"SAVEPOINT {name}")
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):
            sql.run(f"ROLLBACK TO SAVEPOINT {name}")
        raise
    sql.run(f"RELEASE SAVEPOINT {name}")


def lock_in_transaction(sql: Sql, name: str) -> None:
    """Takes a lock of Penstock's own until the transaction ends; waits as long as `lock_timeout` allows."""
    sql.run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [f"penstock:{name}"])
