"""The same models on PostgreSQL: built twice in a row, gold holds what it holds on DuckDB."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tasks.warehouses.opening import open_warehouse
from tests.contract.postgres_server import DATABASE, administrator, fresh_postgres
from tests.models.dbt_process import DbtProcess
from tests.models.gold_build import GOLD_KEYS, WITHOUT_UNIT_TESTS, Built, Gold, comparable


def copy_bronze(warehouse: Path) -> None:
    """Brings the bronze of a DuckDB file into the test's database."""
    tables = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema LIKE '%_bronze'"
    with duckdb.connect(str(warehouse), read_only=True) as source, administrator(DATABASE) as target:
        for schema, table in source.execute(tables).fetchall():
            described = source.execute(f"DESCRIBE {schema}.{table}").fetchall()
            columns = ", ".join(f'"{name}" {kind.replace("VARCHAR", "TEXT")}' for name, kind, *_ in described)
            rows = source.execute(f"SELECT * FROM {schema}.{table}")
            target.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {schema}.{table} ({columns})")
            with target.cursor() as cursor, cursor.copy(f"COPY {schema}.{table} FROM STDIN") as copy:
                for row in rows.fetchall():
                    copy.write_row(row)


def build(dbt: DbtProcess, variables: dict[str, str], *arguments: str) -> Gold:
    ended = dbt.run("build", "--target", "postgres", *arguments, variables=variables)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-1000:]
    with administrator(DATABASE) as connection:
        return {table: comparable(connection.execute(f"SELECT * FROM gold.{table}").fetchall()) for table in GOLD_KEYS}


# Gold is built four times in it.
@pytest.mark.timeout(600)
def test_gold_on_postgres_is_gold_on_duckdb(built: Built, tmp_path: Path) -> None:
    connection = fresh_postgres()
    copy_bronze(built.warehouse)
    dbt = DbtProcess(tmp_path, tmp_path / "nothing.duckdb")
    with open_warehouse(connection).lent_to_process() as lent:
        variables = {**lent, "PENSTOCK_PII_SALT": "local"}
        first = build(dbt, variables)
        second = build(dbt, variables, *WITHOUT_UNIT_TESTS)
    assert {table: len(rows) for table, rows in first.items()} == {
        table: len(rows) for table, rows in built.first.items()
    }
    for table, rows in built.first.items():
        assert first[table] == comparable(rows), table
    assert second == first
