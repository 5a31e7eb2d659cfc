"""The ready-made Prefect schema against Prefect's own migrations."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from flows.local_server_schema import dump_migrated_schema, prepare_database


def statements(connection: sqlite3.Connection) -> list[list[str]]:
    """Returns the statements without the order of constraints and indexes, which alembic takes from sets."""
    return sorted(
        sorted(line.strip().rstrip(",") for line in statement.splitlines()) for statement in connection.iterdump()
    )


def test_the_ready_made_database_is_what_prefects_own_migrations_make(tmp_path: Path) -> None:
    assert prepare_database(tmp_path / "prefect.db"), "no schema file for the installed Prefect: see the module"

    with closing(sqlite3.connect(":memory:")) as migrated, closing(sqlite3.connect(tmp_path / "prefect.db")) as ours:
        migrated.executescript(dump_migrated_schema())
        assert statements(ours) == statements(migrated)
        assert len(statements(ours)) > 100


def test_a_database_of_another_revision_is_left_to_prefects_migrations(tmp_path: Path) -> None:
    database = tmp_path / "prefect.db"
    prepare_database(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'older'")
        connection.commit()

    assert not prepare_database(database)


def test_a_database_without_a_revision_is_left_to_prefects_migrations(tmp_path: Path) -> None:
    database = tmp_path / "prefect.db"
    sqlite3.connect(database).close()

    assert not prepare_database(database)
