"""An empty Prefect database, made in a hundredth of a second instead of the five that Prefect's migrations take.

`prefect_schema/<version>.sql` holds what the migrations of that Prefect version leave behind, revision included. It is
a shortcut and nothing more: a version without a file is migrated by Prefect as usual, and a test holds the file against
the real migrations. After an upgrade of Prefect write the new file with

    python -m flows.local_server_schema
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

_SCHEMAS = Path(__file__).with_name("prefect_schema")


def prepare_database(database: Path) -> bool:
    """Makes the database where it is missing and returns whether its schema is that of the installed Prefect.

    False leaves the migrations to Prefect: there is no schema file for its version, or the database is older.
    """
    schema = _SCHEMAS / f"{version('prefect')}.sql"
    if not schema.is_file():
        return False
    script = schema.read_text(encoding="utf-8")
    if not database.exists():
        _create(database, script)
    with closing(sqlite3.connect(":memory:")) as expected, closing(sqlite3.connect(database)) as actual:
        expected.executescript(script)
        return _revision(actual) == _revision(expected)


def dump_migrated_schema() -> str:
    """Returns the schema that the installed Prefect's own migrations make, as one SQL script."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "prefect.db"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")},
            "PREFECT_HOME": folder,
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{database}",
        }
        command = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
        subprocess.run(command, env=environment, cwd=folder, check=True, capture_output=True)  # noqa: S603 - our command
        with closing(sqlite3.connect(database)) as connection:
            lines = "\n".join(connection.iterdump()).splitlines()
    # SQLite keeps the statements as Prefect wrote them, with blanks at line ends that editors would remove.
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _create(database: Path, script: str) -> None:
    partial = database.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as connection:
        connection.executescript(script)
    partial.replace(database)


def _revision(connection: sqlite3.Connection) -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    return row[0] if row else None


if __name__ == "__main__":
    (_SCHEMAS / f"{version('prefect')}.sql").write_text(dump_migrated_schema(), encoding="utf-8")
