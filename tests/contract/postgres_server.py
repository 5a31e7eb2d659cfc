"""The PostgreSQL server that tests use, and a database of this process on it.

The server is 127.0.0.1:5432 as the user `postgres`, or what PGHOST, PGPORT, PGUSER and PGPASSWORD say. The database is
made once and emptied for each test, which is ten times as fast as making one.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
import pytest

from penstock.connections import PostgresConnection

DATABASE = f"penstock_test_{os.getpid()}"
_SERVER = {
    "host": os.environ.get("PGHOST", "127.0.0.1"),
    "port": int(os.environ.get("PGPORT", "5432")),
    "user": os.environ.get("PGUSER", "postgres"),
    "password": os.environ.get("PGPASSWORD"),
}
LEDGER = ("loads", "files", "rejects", "tombstones")
_OURS = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')"


def fresh_postgres(*, is_new: bool = False, **settings: Any) -> PostgresConnection:
    """Returns a connection to a database without loads; skips the test where there is no server.

    Args:
        is_new: Whether not even the `penstock` schema is there.
        settings: Others of the connection.
    """
    _create_database()
    with administrator(DATABASE) as connection:
        schemas = [schema for (schema,) in connection.execute(_OURS).fetchall()]
        dropped = [f'DROP SCHEMA "{schema}" CASCADE' for schema in schemas if is_new or schema != "penstock"]
        emptied = [f"DELETE FROM penstock.{table}" for table in LEDGER if "penstock" in schemas and not is_new]
        connection.execute("; ".join(["SET client_min_messages = warning", *dropped, *emptied]))
    return postgres(**settings)


def postgres(database: str = DATABASE, **settings: Any) -> PostgresConnection:
    """Returns a connection to a database as it is."""
    return PostgresConnection.model_validate({"kind": "postgres", **_SERVER, "database": database, **settings})


@contextmanager
def administrator(database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
    """Opens a connection in autocommit, past Penstock."""
    with psycopg.connect(**_SERVER, dbname=database, autocommit=True, connect_timeout=5) as connection:
        yield connection


@cache
def _create_database() -> None:
    try:
        with administrator() as connection:
            connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8'")
            # Nothing here has to survive the machine's power cut.
            connection.execute(f"ALTER DATABASE {DATABASE} SET synchronous_commit = off")
    except psycopg.OperationalError as error:
        pytest.skip(f"there is no PostgreSQL server at {_SERVER['host']}:{_SERVER['port']}: {error}")
    atexit.register(_drop_database)


def _drop_database() -> None:
    with administrator() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
