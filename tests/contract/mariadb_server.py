"""The MariaDB server that tests use, and a database of this process on it.

The server is 127.0.0.1:3306 as `root` without a password, or what MYSQL_HOST, MYSQL_PORT, MYSQL_USER and
MYSQL_PASSWORD say.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pymysql
import pytest

from penstock.connections import MySqlConnection

DATABASE = f"penstock_test_{os.getpid()}"
_SERVER = {
    "host": os.environ.get("MYSQL_HOST", "127.0.0.1"),
    "port": int(os.environ.get("MYSQL_PORT", "3306")),
    "user": os.environ.get("MYSQL_USER", "root"),
    "password": os.environ.get("MYSQL_PASSWORD", ""),
}


def mariadb(database: str | None = None, **settings: Any) -> MySqlConnection:
    """Returns a connection to a database of this process; skips the test where there is no server."""
    _create_database()
    known = {**_SERVER, "database": database or DATABASE, **settings}
    return MySqlConnection.model_validate({"kind": "mysql", **known})


@contextmanager
def administrator(database: str | None = None, **settings: Any) -> Iterator[Any]:
    """Opens a cursor in autocommit, past Penstock."""
    settings = {**_SERVER, **settings, **({"database": database} if database else {})}
    connection = pymysql.connect(**settings, autocommit=True, connect_timeout=5, charset="utf8mb4")
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@cache
def _create_database() -> None:
    try:
        with administrator() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4")
    except pymysql.err.OperationalError as error:
        pytest.skip(f"there is no MariaDB server at {_SERVER['host']}:{_SERVER['port']}: {error}")
    atexit.register(_drop_database)


def _drop_database() -> None:
    with administrator() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
