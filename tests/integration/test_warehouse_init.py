"""`penstock warehouse init` sets a warehouse up, and does nothing the second time."""

from __future__ import annotations

from pathlib import Path

from penstock.connections import DuckDBConnection
from tasks.staging.local import LocalStore
from tasks.warehouses.initialising import init_statements, init_warehouse
from tasks.warehouses.opening import open_warehouse
from tests.fakes.snowflake.connection import snowflake_connection


def test_snowflake_is_set_up_once_and_keeps_what_it_has_the_second_time(tmp_path: Path) -> None:
    connection, store = snowflake_connection(), LocalStore(tmp_path)
    first = init_warehouse(connection, store)
    assert first == init_warehouse(connection, store) == init_statements(connection, store)
    warehouse = open_warehouse(connection)
    assert warehouse.loads() == []
    schemas = warehouse.query("SELECT lower(schema_name) FROM information_schema.schemata").rows
    assert {("penstock",), ("silver",), ("gold",)} <= set(schemas)


def test_duckdb_gets_its_tables_and_needs_no_account(tmp_path: Path) -> None:
    connection = DuckDBConnection(kind="duckdb", path=str(tmp_path / "warehouse.duckdb"))
    assert init_warehouse(connection, LocalStore(tmp_path)) == []
    assert open_warehouse(connection).query("SELECT count(*) FROM penstock.loads").rows == [(0,)]
