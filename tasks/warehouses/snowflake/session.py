"""Opens sessions and runs statements in them. Every call of the warehouse has a session of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

from penstock.connections import KeyPairAuth, OAuthTokenAuth, SnowflakeConnection
from penstock.errors import ConfigurationError
from tasks.warehouses.snowflake.errors import explained, is_missing

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection as Connection

Purpose = Literal["load", "load_large", "transform", "reporting"]

# Values that are turned into text have to keep their microseconds and their offset.
_TIME_FORMATS = {
    "TIMESTAMP_NTZ_OUTPUT_FORMAT": 'YYYY-MM-DD"T"HH24:MI:SS.FF6',
    "TIMESTAMP_LTZ_OUTPUT_FORMAT": 'YYYY-MM-DD"T"HH24:MI:SS.FF6TZH:TZM',
    "TIMESTAMP_TZ_OUTPUT_FORMAT": 'YYYY-MM-DD"T"HH24:MI:SS.FF6TZH:TZM',
}


class Sql:
    """Runs statements in a session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._columns: tuple[str, ...] = ()

    def run(self, statement: str) -> int:
        """Runs a statement and returns how many rows it changed; 0 where it changes none."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.rowcount or 0

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query; `?` in it stands for a parameter."""
        with self._connection.cursor() as cursor:
            cursor.execute(query, list(parameters) or None)
            self._columns = tuple(column.name for column in cursor.description or ())
            return [tuple(row) for row in cursor.fetchall()]

    def first_rows(self, query: str, count: int) -> tuple[list[dict[str, Any]], int]:
        """Returns the first rows of an answer by lower-case names, and how many there are in all."""
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            names = [column.name.lower() for column in cursor.description or ()]
            rows = cursor.fetchmany(count)
            return [dict(zip(names, row, strict=True)) for row in rows], cursor.rowcount or 0

    def rows_if_exists(self, query: str) -> list[tuple[Any, ...]] | None:
        """Returns all rows of a query, or None where its table does not exist."""
        from snowflake.connector import errors

        try:
            return self.rows(query)
        except errors.ProgrammingError as error:
            if is_missing(error):
                return None
            raise

    def count(self, query: str) -> int:
        """Returns the one number that a query gives."""
        return int(self.rows(query)[0][0])

    def column_names(self) -> tuple[str, ...]:
        """Returns the names of the last query's columns."""
        return self._columns


class Account:
    """The account that a connection names, and how sessions in it are opened."""

    def __init__(self, settings: SnowflakeConnection) -> None:
        self.settings = settings

    @contextmanager
    def session(
        self, purpose: Purpose, *, tag: Mapping[str, str] | None = None, timezone: str = "UTC", is_query: bool = False
    ) -> Iterator[Sql]:
        """Opens a session for one call.

        Args:
            purpose: Chooses the virtual warehouse.
            tag: What `QUERY_TAG` tells of the session's statements in the query history, as JSON.
            timezone: Zone of times without an offset.
            is_query: Whether a person wrote the statements and should read what Snowflake says of them.
        """
        import snowflake.connector

        with explained(is_query=is_query):
            connection = snowflake.connector.connect(**self._arguments(purpose, tag or {}, timezone))
            try:
                yield Sql(connection)
            finally:
                connection.close()

    def compute(self, purpose: Purpose) -> str:
        """Returns the virtual warehouse of a purpose."""
        sizes = self.settings.compute
        return getattr(sizes, purpose) or sizes.load

    def _arguments(self, purpose: Purpose, tag: Mapping[str, str], timezone: str) -> dict[str, Any]:
        settings = self.settings
        parameters: dict[str, Any] = {
            "QUERY_TAG": json.dumps({"application": "penstock", **tag}, separators=(",", ":")),
            "STATEMENT_TIMEOUT_IN_SECONDS": settings.statement_timeout_seconds,
            "LOCK_TIMEOUT": settings.statement_timeout_seconds,
            "TIMEZONE": timezone,
            **_TIME_FORMATS,
        }
        optional = {"host": settings.host, "port": settings.port, "role": settings.role}
        return {
            "account": settings.account,
            "user": settings.user,
            "database": settings.database.upper(),
            "warehouse": self.compute(purpose),
            "protocol": settings.protocol,
            "login_timeout": settings.login_timeout_seconds,
            "network_timeout": settings.statement_timeout_seconds,
            "paramstyle": "qmark",
            "application": "Penstock",
            "session_parameters": parameters,
            **{name: value for name, value in optional.items() if value is not None},
            **_credentials(settings),
        }


@contextmanager
def transaction(sql: Sql) -> Iterator[None]:
    """Begins a transaction; it is undone unless the block ends well, and the block commits it itself."""
    from snowflake.connector import errors

    sql.run("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(errors.Error):
            sql.run("ROLLBACK")
        raise


def _credentials(settings: SnowflakeConnection) -> dict[str, Any]:
    auth = settings.auth
    if isinstance(auth, KeyPairAuth):
        return {"authenticator": "SNOWFLAKE_JWT", "private_key": _private_key(auth)}
    if isinstance(auth, OAuthTokenAuth):
        return {"authenticator": "oauth", "token": auth.token.get_secret_value()}
    return {"password": auth.password.get_secret_value()}


def _private_key(auth: KeyPairAuth) -> bytes:
    from cryptography.hazmat.primitives import serialization

    passphrase = auth.passphrase.get_secret_value().encode() if auth.passphrase else None
    try:
        key = serialization.load_pem_private_key(auth.private_key.get_secret_value().encode(), passphrase)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            "the private key of the warehouse connection cannot be read",
            guidance="Give it in PEM (PKCS#8), with its passphrase if it has one.",
        ) from error
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
