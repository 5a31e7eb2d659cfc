"""Opens the warehouse file for one call, one caller at a time.

DuckDB lets one process write to a file and keeps it locked while it is open. So every call here takes a file lock that
stands beside the warehouse (between processes and between threads), opens the file, does its work and closes it again;
that costs some 20 ms. dbt and shells do not know our lock: DuckDB's own one keeps them out, and us while they work.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.connections import DuckDBConnection
from penstock.errors import ConfigurationError, TransientError
from tasks.warehouses.duckdb.errors import explain, explained, is_busy

if TYPE_CHECKING:
    import duckdb

LOCK_SUFFIX = ".lock"
SPILL_SUFFIX = ".spill"
SCRATCH_SUFFIX = ".scratch"

_POLL_SECONDS = 0.02
_MEBIBYTES_PER_THREAD = 61
"""Each thread that reads a file keeps its buffers: 200 MB of CSV in 41 columns do not load into 256 MB with 32 threads
(DuckDB 2.0, November 2026), and do with four. DuckDB says limits in MiB, and 64 MB are 61.04."""
_LEAST_THREADS = 2
"""Half of that limit is not the half of what one thread needs."""
_MEBIBYTES = {"TiB": 1024.0**2, "GiB": 1024.0, "MiB": 1.0, "KiB": 1 / 1024, "bytes": 1 / 1024**2}


class Sql:
    """Runs statements on an open warehouse."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> int:
        """Runs a statement and returns how many rows it changed; 0 where it changes none."""
        answer = self._connection.execute(statement, list(parameters)).fetchone()
        return int(answer[0]) if answer and isinstance(answer[0], int) else 0

    def run_many(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Runs a statement once for each row of parameters."""
        if rows:
            self._connection.executemany(statement, [list(row) for row in rows])

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query."""
        return self._connection.execute(query, list(parameters)).fetchall()

    def rows_if_exists(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]] | None:
        """Returns all rows of a query, or None where its table does not exist.

        Asking the catalog first would take ten times as long. An error ends a transaction, so this is for outside one.
        """
        import duckdb

        try:
            return self.rows(query, parameters)
        except duckdb.CatalogException:
            return None

    def count(self, query: str, parameters: Sequence[Any] = ()) -> int:
        """Returns the one number that a query gives."""
        return int(self.rows(query, parameters)[0][0])

    def column_names(self) -> tuple[str, ...]:
        """Returns the names of the last query's columns."""
        return tuple(column[0] for column in self._connection.description or ())


class WarehouseFile:
    """The file that a connection names."""

    def __init__(self, settings: DuckDBConnection) -> None:
        self._settings = settings
        self.path = Path(settings.path).expanduser().absolute()

    def check_schema(self, name: str) -> None:
        """Checks that a schema can be told from the file: DuckDB names the file's catalog after it.

        Raises:
            ConfigurationError: they have one name, and DuckDB could not tell `name.table` apart.
        """
        if self.path.stem.lower() == name:
            raise ConfigurationError(
                "the warehouse file is called like a schema in it",
                guidance="Give the file another name, such as warehouse.duckdb.",
                path=str(self.path),
                schema=name,
            )

    def check_folder(self) -> None:
        """Checks that the file's folder is there and can be written, or can be made.

        Raises:
            ConfigurationError: it is not.
        """
        folder = next(one for one in self.path.parents if one.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            raise ConfigurationError(
                "the warehouse's folder cannot be written",
                guidance="Check its path and the rights on it.",
                path=str(folder),
            )

    @contextmanager
    def writing(self) -> Iterator[Sql]:
        """Opens the file for a call that may write; it is made where there is none.

        Raises:
            TransientError: somebody else held it for longer than `lock_timeout_seconds`.
            ConfigurationError: the file's folder cannot be made or written, or it is called `penstock`.
        """
        self.check_schema("penstock")
        with self._locked() as deadline, explained():
            # A process that was killed leaves these folders; the lock says that nobody uses them.
            shutil.rmtree(self._spill, ignore_errors=True)
            shutil.rmtree(self.scratch, ignore_errors=True)
            yield from self._opened(deadline, is_read_only=False)

    @contextmanager
    def reading(self) -> Iterator[Sql | None]:
        """Opens the file for queries; None where there is no file yet.

        Raises:
            TransientError: somebody else held it for longer than `lock_timeout_seconds`.
        """
        if not self.path.exists():
            yield None
            return
        with self._locked() as deadline, explained():
            yield from self._opened(deadline, is_read_only=True)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Holds the lock without opening the file, for a process that opens it itself.

        Raises:
            TransientError: somebody else held it for longer than `lock_timeout_seconds`.
        """
        with self._locked():
            yield

    @contextmanager
    def _locked(self) -> Iterator[float]:
        from filelock import FileLock, Timeout

        deadline = time.monotonic() + self._settings.lock_timeout_seconds
        lock_path = f"{self.path}{LOCK_SUFFIX}"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # A lock object of its own for each call, so that threads exclude each other too.
            lock = FileLock(lock_path, timeout=self._settings.lock_timeout_seconds, thread_local=False)
            lock.acquire(poll_interval=_POLL_SECONDS)
        except Timeout as error:
            raise TransientError(
                "the warehouse file is in use",
                guidance="Another load of this project may hold it; try again when it is done.",
                lock=lock_path,
                waited_seconds=self._settings.lock_timeout_seconds,
            ) from error
        except OSError as error:
            raise ConfigurationError(
                "the warehouse's folder cannot be written",
                guidance="Check its path and the rights on it.",
                path=str(self.path.parent),
            ) from error
        try:
            yield deadline
        finally:
            lock.release()

    def _opened(self, deadline: float, *, is_read_only: bool) -> Iterator[Sql]:
        connection = self._connect(deadline, is_read_only=is_read_only)
        try:
            connection.execute("SET TimeZone = 'UTC'")
            sql = Sql(connection)
            if self._settings.threads is None:
                cap_threads(sql)
            yield sql
        finally:
            connection.close()

    def _connect(self, deadline: float, *, is_read_only: bool) -> duckdb.DuckDBPyConnection:
        import duckdb

        while True:
            try:
                return duckdb.connect(str(self.path), read_only=is_read_only, config=self._config())
            except duckdb.Error as error:
                if not is_busy(error) or time.monotonic() >= deadline:
                    explanation = explain(error)
                    explanation.facts["path"] = str(self.path)
                    raise explanation from error
            time.sleep(_POLL_SECONDS)

    def _config(self) -> dict[str, str | bool | int | float | list[str]]:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._settings.memory_limit,
            "temp_directory": self._spill,
            # Pages that were written are filled again, instead of given back to the system and fetched anew.
            "block_allocator_memory": "64MiB",
            # Loads that need the order of rows turn it on; the others take half the time without it.
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if self._settings.threads is not None:
            config["threads"] = self._settings.threads
        return config

    @property
    def scratch(self) -> Path:
        """A folder for files of the call that writes; it may not exist."""
        return Path(f"{self.path}{SCRATCH_SUFFIX}")

    @property
    def _spill(self) -> str:
        return f"{self.path}{SPILL_SUFFIX}"


def spare_memory(sql: Sql) -> None:
    """Lowers the limit to 64 MB for each thread, for a load that writes narrow rows and reads nothing again.

    DuckDB fills all that it may have with pages it has written (6 M rows of 16 columns: 244 MB of 256, 125 MB of 128).
    """
    limit, threads = sql.rows("SELECT current_setting('memory_limit'), current_setting('threads')")[0]
    needed = _MEBIBYTES_PER_THREAD * max(_LEAST_THREADS, threads)
    if needed < _mebibytes(limit):
        sql.run(f"SET memory_limit = '{needed}MiB'")


def threads_for(memory_limit: str, threads: int) -> int:
    """Returns how many threads a load may use: those there are, and at most one to 64 MB of memory.

    Args:
        memory_limit: As DuckDB says it, such as `244.1 MiB`.
        threads: What DuckDB would use.
    """
    return max(1, min(threads, int(_mebibytes(memory_limit) / _MEBIBYTES_PER_THREAD)))


def _mebibytes(size: str) -> float:
    amount, unit = size.split()
    return float(amount) * _MEBIBYTES[unit]


def cap_threads(sql: Sql) -> None:
    """Leaves each thread enough memory for its buffers; see `threads_for`."""
    limit, threads = sql.rows("SELECT current_setting('memory_limit'), current_setting('threads')")[0]
    sql.run(f"SET threads = {threads_for(limit, threads)}")


@contextmanager
def transaction(sql: Sql) -> Iterator[None]:
    """Begins a transaction; it is undone unless the block ends well, and the block commits it itself.

    What DuckDB answers to the ROLLBACK does not matter: closing the file undoes what was not committed, too.
    """
    import duckdb

    sql.run("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):
            sql.run("ROLLBACK")
        raise
