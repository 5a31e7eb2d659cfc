from __future__ import annotations

from datetime import datetime
from typing import Any

from penstock.artifacts import Interval
from penstock.connections import MySqlConnection, PostgresConnection
from tests.contract import mariadb_server, postgres_server
from tests.contract.source_cases.case import WRONG_SECRET, Case, Place, Row
from tests.contract.source_cases.orders import ORDERS, orders_between

_ROWS = [(order["id"], datetime.fromisoformat(str(order["updated_at"])), order["note"]) for order in ORDERS]
_TABLE = "contract_orders"


def _mariadb(_place: Place, secret: str | None) -> MySqlConnection:
    connection = mariadb_server.mariadb(**({"password": secret} if secret else {}))
    with mariadb_server.administrator(mariadb_server.DATABASE) as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute(f"DROP TABLE IF EXISTS {_TABLE}")
        cursor.execute(f"CREATE TABLE {_TABLE} (id int PRIMARY KEY, updated_at timestamp NOT NULL, note text)")
        cursor.executemany(f"INSERT INTO {_TABLE} VALUES (%s, %s, %s)", [(n, f"{t:%F %T}", s) for n, t, s in _ROWS])
    return connection


def _postgres(_place: Place, secret: str | None) -> PostgresConnection:
    connection = postgres_server.fresh_postgres(**({"password": secret} if secret else {}))
    with postgres_server.administrator(postgres_server.DATABASE) as server:
        server.execute(f"DROP TABLE IF EXISTS {_TABLE}")
        server.execute(f"CREATE TABLE {_TABLE} (id int PRIMARY KEY, updated_at timestamptz NOT NULL, note text)")
        with server.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {_TABLE} VALUES (%s, %s, %s)", _ROWS)
    return connection


def _truth(place: Place, interval: Interval) -> list[Row]:
    del place
    found: list[dict[str, Any]] = orders_between(interval)
    return [{**row, "updated_at": datetime.fromisoformat(str(row["updated_at"]))} for row in found]


_dataset = {"source_table": _TABLE, "window_column": "updated_at"}

CASES = {
    "sql-mariadb": Case(kind="sql", dataset=_dataset, connect=_mariadb, truth=_truth, secrets=(WRONG_SECRET,)),
    "sql-postgres": Case(
        kind="sql",
        dataset={**_dataset, "parallel_ranges": 3},
        connect=_postgres,
        truth=_truth,
        secrets=(WRONG_SECRET,),
    ),
}
