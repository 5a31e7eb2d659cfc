"""Opens the warehouse that a connection leads to; a new kind of warehouse is one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from penstock.connections import DuckDBConnection, PostgresConnection, SnowflakeConnection
from penstock.errors import ConfigurationError
from tasks.warehouses.contract import Warehouse


def _open_duckdb(connection: DuckDBConnection) -> Warehouse:
    from tasks.warehouses.duckdb.warehouse import DuckDBWarehouse

    return DuckDBWarehouse(connection)


def _open_postgres(connection: PostgresConnection) -> Warehouse:
    from tasks.warehouses.postgres.warehouse import PostgresWarehouse

    return PostgresWarehouse(connection)


def _open_snowflake(connection: SnowflakeConnection) -> Warehouse:
    from tasks.warehouses.snowflake.warehouse import SnowflakeWarehouse

    return SnowflakeWarehouse(connection)


_OPENERS: dict[type[BaseModel], Callable[[Any], Warehouse]] = {
    DuckDBConnection: _open_duckdb,
    PostgresConnection: _open_postgres,
    SnowflakeConnection: _open_snowflake,
}


def open_warehouse(connection: BaseModel) -> Warehouse:
    """Opens the warehouse that a connection leads to; nothing is read or written yet.

    Args:
        connection: One of the connections of `penstock.connections`.

    Raises:
        ConfigurationError: the connection leads to something that holds no tables.
    """
    opener = _OPENERS.get(type(connection))
    if opener is None:
        kinds = ", ".join(sorted(kind.__name__.removesuffix("Connection").lower() for kind in _OPENERS))
        raise ConfigurationError(
            "the connection does not lead to a warehouse",
            guidance=f"Warehouses are connections of kind {kinds}.",
            kind=str(getattr(connection, "kind", type(connection).__name__)),
        )
    return opener(connection)
