"""The warehouses that the crash tests kill loads into: where each is, how it is copied, and all that it holds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Protocol

import duckdb

from tests.contract.postgres_server import administrator, fresh_postgres

_TABLES = (
    ("acme_bronze.rest__orders", "_loaded_at"),
    ("penstock.loads", "loaded_at"),
    ("penstock.files", "loaded_at"),
    ("penstock.rejects", "rejected_at"),
    ("penstock.tombstones", None),
)

Contents = list[list[tuple[Any, ...]]]


class Place(Protocol):
    """A warehouse that can be set back to what it was."""

    kind: str
    steps: tuple[str, ...]

    def connection(self) -> dict[str, Any]: ...

    def keep(self) -> None:
        """Remembers what is in it."""

    def set_back(self) -> None:
        """Makes it what was remembered."""

    def contents(self) -> Contents:
        """Returns all that a load writes, but for when it did so."""

    def check_clean(self) -> None:
        """Fails where a killed load left something behind."""


class DuckDBPlace:
    kind = "duckdb"
    steps = ("prepare", "land", "apply", "record", "commit")

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "duckdb"
        self._kept = folder / "kept"

    def connection(self) -> dict[str, Any]:
        return {"kind": "duckdb", "path": str(self._folder / "warehouse.duckdb")}

    def keep(self) -> None:
        shutil.copytree(self._folder, self._kept)

    def set_back(self) -> None:
        shutil.rmtree(self._folder)
        shutil.copytree(self._kept, self._folder)

    def contents(self) -> Contents:
        with duckdb.connect(str(self._folder / "warehouse.duckdb"), read_only=True) as connection:
            return [
                connection.execute(
                    f"SELECT * {f'EXCLUDE ({written_at})' if written_at else ''} FROM {table} ORDER BY ALL"
                ).fetchall()
                for table, written_at in _TABLES
            ]

    def check_clean(self) -> None:
        left = {path.name for path in self._folder.iterdir()} - {"warehouse.duckdb.wal"}
        assert left == {"warehouse.duckdb", "warehouse.duckdb.lock"}


class PostgresPlace:
    kind = "postgres"
    steps = ("survey", "prepare", "land", "apply", "record", "commit", "tend")

    def __init__(self) -> None:
        self._connection = fresh_postgres(is_new=True)

    def connection(self) -> dict[str, Any]:
        return self._connection.model_dump(mode="json")

    def keep(self) -> None:
        self._run(
            "CREATE SCHEMA kept",
            *(f"CREATE TABLE kept.{_name(table)} (LIKE {table} INCLUDING ALL)" for table, _ in _TABLES),
            *(f"INSERT INTO kept.{_name(table)} SELECT * FROM {table}" for table, _ in _TABLES),
        )

    def set_back(self) -> None:
        for table, _ in _TABLES:
            self._run(
                f"DROP TABLE {table}",
                f"CREATE TABLE {table} (LIKE kept.{_name(table)} INCLUDING ALL)",
                f"INSERT INTO {table} SELECT * FROM kept.{_name(table)}",
            )

    def contents(self) -> Contents:
        found = []
        with administrator(self._connection.database) as connection:
            for table, written_at in _TABLES:
                rows = connection.execute(f"SELECT to_jsonb(t) - %s FROM {table} AS t", [written_at or ""]).fetchall()
                found.append([tuple(row.items()) for (row,) in rows])
        return [sorted(rows, key=repr) for rows in found]

    def check_clean(self) -> None:
        with administrator(self._connection.database) as connection:
            left = "SELECT relname FROM pg_class WHERE relname IN ('landing', 'rejected', 'matched', 'timeline')"
            assert connection.execute(left).fetchall() == []

    def _run(self, *statements: str) -> None:
        with administrator(self._connection.database) as connection:
            connection.execute(";\n".join(statements))


def _name(table: str) -> str:
    return table.rpartition(".")[2]
