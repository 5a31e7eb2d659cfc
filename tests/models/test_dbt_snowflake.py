"""dbt on Snowflake signs in as the connection does; gold, built twice in a row, holds what it holds on DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
import sqlglot

from penstock.connections import SnowflakeConnection
from tasks.warehouses.opening import open_warehouse
from tasks.warehouses.snowflake.session import Account, Sql
from tests.fakes.snowflake.connection import snowflake_connection
from tests.integration.test_snowflake_errors import private_key
from tests.models.dbt_process import DbtProcess
from tests.models.gold_build import GOLD_KEYS, WITHOUT_UNIT_TESTS, Built, Gold, comparable

KINDS = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMP_TZ", "TIMESTAMP": "TIMESTAMP_NTZ"}


class OnSnowflake(NamedTuple):
    """What two builds in a row leave, and what dbt compiled and ran for each, by the file's path in its target."""

    first: Gold
    second: Gold
    dbt: DbtProcess
    first_statements: dict[str, str]
    second_statements: dict[str, str]


def copy_bronze(warehouse: Path, connection: SnowflakeConnection, folder: Path) -> None:
    """Brings the bronze of a DuckDB file into the connection's database."""
    tables = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema LIKE '%_bronze'"
    with duckdb.connect(str(warehouse), read_only=True) as source, Account(connection).session("load") as target:
        for schema, table in source.execute(tables).fetchall():
            file = folder / f"{table}.parquet"
            source.execute(f"COPY {schema}.{table} TO '{file}' (FORMAT parquet)")
            described = source.execute(f"DESCRIBE {schema}.{table}").fetchall()
            kinds = {name: KINDS.get(kind, kind) for name, kind, *_ in described}
            target.run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            copy_file(target, f"{schema}.{table}", file, kinds)


def copy_file(target: Sql, table: str, file: Path, kinds: dict[str, str]) -> None:
    """Makes a table of a file; the emulator's COPY of Parquet adds the file's name and the row's number."""
    declared = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
    columns = ", ".join(f'"{name.upper()}"' for name in kinds)
    values = ", ".join(f'$1:"{name}"::{kind}' for name, kind in kinds.items())
    target.run(f"CREATE TABLE {table} ({declared}, landed_file VARCHAR, landed_row NUMBER)")
    target.run(f"CREATE STAGE {table}_files")
    target.run(f"PUT 'file://{file}' @{table}_files/new AUTO_COMPRESS = FALSE")
    target.run(
        f'COPY INTO {table} ({columns}, "LANDED_FILE", "LANDED_ROW") '
        f"FROM (SELECT {values}, METADATA$FILENAME, METADATA$FILE_ROW_NUMBER FROM @{table}_files/new/) "
        f"FILES = ('{file.name}') FILE_FORMAT = (TYPE = PARQUET)"
    )


def build(dbt: DbtProcess, connection: SnowflakeConnection, variables: dict[str, str], *arguments: str) -> Gold:
    ended = dbt.run("build", "--target", "snowflake", *arguments, variables=variables)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-1000:]
    with Account(connection).session("reporting") as sql:
        return {table: comparable(sql.rows(f"SELECT * FROM gold.{table}")) for table in GOLD_KEYS}


@pytest.mark.parametrize("kind", ["password", "oauth", "key_pair"])
def test_dbt_signs_in_as_the_connection_does(kind: str, tmp_path: Path) -> None:
    auth: dict[str, Any] = {
        "password": {"password": "a-secret-word"},
        "oauth": {"token": "a-secret-word"},
        "key_pair": {"private_key": private_key()},
    }
    warehouse = open_warehouse(snowflake_connection(auth={"kind": kind, **auth[kind]}))
    # Our profile with an empty project, which is read in no time.
    project = tmp_path / "project"
    project.mkdir()
    (project / "dbt_project.yml").write_text('name: empty\nprofile: penstock\nversion: "1.0.0"\n')
    dbt = DbtProcess(tmp_path, tmp_path / "none.duckdb", project=project)
    with warehouse.lent_to_process() as lent:
        query = ["show", "--inline", "select 40 + 2 as answer", "--target", "snowflake"]
        shown = dbt.run(*query, variables={**lent, "PENSTOCK_PII_SALT": "salt"})
    assert shown.returncode == 0, shown.stdout
    assert "42" in shown.stdout
    logs = "".join(path.read_text("utf-8") for path in tmp_path.rglob("*.log"))
    assert "a-secret-word" not in f"{shown.stdout}{shown.stderr}{logs}"


@pytest.fixture(scope="module")
def on_snowflake(built: Built, tmp_path_factory: pytest.TempPathFactory) -> OnSnowflake:
    folder, connection = tmp_path_factory.mktemp("snowflake"), snowflake_connection()
    copy_bronze(built.warehouse, connection, folder)
    dbt = DbtProcess(folder, folder / "nothing.duckdb")
    with open_warehouse(connection).lent_to_process() as lent:
        variables = {**lent, "PENSTOCK_PII_SALT": "local"}
        first = build(dbt, connection, variables)
        first_statements = statements(dbt)
        second = build(dbt, connection, variables, *WITHOUT_UNIT_TESTS)
    return OnSnowflake(first, second, dbt, first_statements, statements(dbt))


def statements(dbt: DbtProcess) -> dict[str, str]:
    return {str(path.relative_to(dbt.target)): path.read_text("utf-8") for path in dbt.target.glob("**/*.sql")}


# Gold is built four times for it.
@pytest.mark.timeout(600)
def test_gold_on_snowflake_is_gold_on_duckdb(built: Built, on_snowflake: OnSnowflake) -> None:
    first = on_snowflake.first
    assert {table: len(rows) for table, rows in first.items()} == {
        table: len(rows) for table, rows in built.first.items()
    }
    for table, rows in built.first.items():
        assert first[table] == comparable(rows), table
    assert on_snowflake.second == first


def test_what_dbt_runs_is_snowflakes_sql(on_snowflake: OnSnowflake) -> None:
    models = {
        f"compiled/penstock/{one['original_file_path']}": one
        for one in on_snowflake.dbt.manifest()["nodes"].values()
        if one["resource_type"] == "model"
    }
    first, second = on_snowflake.first_statements, on_snowflake.second_statements
    assert first.keys() >= models.keys()
    for path, text in [*first.items(), *second.items()]:
        for statement in sqlglot.parse(text, dialect="snowflake"):
            assert statement is not None, path
            # What the parser does not know, it keeps as a command.
            assert not isinstance(statement, sqlglot.exp.Command), path
    incremental = {path for path, one in models.items() if "is_incremental()" in one["raw_code"]}
    assert len(incremental) > 4
    assert {path for path in models if first[path] != second[path]} >= incremental
    merged = {path for path, one in models.items() if one["config"]["incremental_strategy"] == "merge"}
    assert len(merged) > 3
    assert all("merge into" in second[path.replace("compiled", "run", 1)].lower() for path in merged)
