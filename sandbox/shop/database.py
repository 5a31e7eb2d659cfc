"""Writes the shop at a time into a database, which then holds exactly that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from penstock.connections import MySqlConnection, PostgresConnection
from sandbox.shop.world import ShopSettings, tables_at

_TIMES = {"mysql": "datetime(6)", "postgres": "timestamp"}
_TABLES = {
    "customers": "id int PRIMARY KEY, email varchar(200) NOT NULL, phone varchar(40), street varchar(200) NOT NULL,"
    " city varchar(100) NOT NULL, created_at {time} NOT NULL, updated_at {time} NOT NULL",
    "products": "id int PRIMARY KEY, sku varchar(20) NOT NULL, name varchar(200) NOT NULL,"
    " price decimal(10,2) NOT NULL, updated_at {time} NOT NULL, deleted_at {time} NULL",
    "orders": "id int PRIMARY KEY, customer_id int NOT NULL, status varchar(20) NOT NULL,"
    " total decimal(12,2) NOT NULL, placed_at {time} NOT NULL, updated_at {time} NOT NULL",
    "order_items": "order_id int NOT NULL, line int NOT NULL, product_id int NOT NULL, quantity int NOT NULL,"
    " price decimal(10,2) NOT NULL, ordered_at {time} NOT NULL, PRIMARY KEY (order_id, line)",
    "inventory": "product_id int NOT NULL, warehouse varchar(20) NOT NULL, quantity int NOT NULL,"
    " updated_at {time} NOT NULL, PRIMARY KEY (product_id, warehouse)",
    "inventory_changes": "id int PRIMARY KEY, product_id int NOT NULL, warehouse varchar(20) NOT NULL, quantity int,"
    " op char(1) NOT NULL, changed_at {time} NOT NULL",
}
"""Times are in UTC and without a zone, as most shops keep them."""


def write_shop(
    connection: MySqlConnection | PostgresConnection, at: datetime, settings: ShopSettings | None = None
) -> None:
    """Makes a database's tables hold what the shop has at a time; other tables are left alone.

    Args:
        connection: Where to write; its user may create tables.
        at: The shop's clock.
        settings: Which shop it is.
    """
    opened = _open(connection)
    try:
        cursor = opened.cursor()
        for name, rows in tables_at(settings or ShopSettings(), at).items():
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {name} ({_TABLES[name].format(time=_TIMES[connection.kind])})")
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608 - names of ours
            if rows:
                places = ", ".join(["%s"] * len(rows[0]))
                cursor.executemany(f"INSERT INTO {name} VALUES ({places})", [_plain(row) for row in rows])  # noqa: S608
        opened.commit()
    finally:
        opened.close()


def _open(connection: MySqlConnection | PostgresConnection) -> Any:
    secret = connection.password.get_secret_value() if connection.password else ""
    address = {"host": connection.host, "port": connection.port, "user": connection.user, "password": secret}
    if isinstance(connection, MySqlConnection):
        import pymysql

        return pymysql.connect(**address, database=connection.database, charset="utf8mb4")  # type: ignore[call-overload]
    import psycopg

    return psycopg.connect(**address, dbname=connection.database)  # type: ignore[arg-type]


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value for value in row)
