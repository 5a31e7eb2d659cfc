"""The warehouse contract over a PostgreSQL database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from penstock.artifacts import LoadPlan, LoadResult, StagedBatch, TableRef
from penstock.connections import PostgresConnection
from penstock.ledger import LoadRecord, Span
from penstock.transforms import TransformRecord
from tasks.staging.contract import ObjectStore
from tasks.warehouses.contract import Rows
from tasks.warehouses.ledger_rows import in_utc
from tasks.warehouses.postgres import ledger
from tasks.warehouses.postgres.connection import Database
from tasks.warehouses.postgres.errors import explained
from tasks.warehouses.postgres.files import staged_files
from tasks.warehouses.postgres.loading import run_load
from tasks.warehouses.postgres.preview import preview_load
from tasks.warehouses.postgres.tables import describe

# A placeholder, or what may hold a question mark that is none: text, a quoted name, a comment.
_MARK = re.compile(r"\?|'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)


class PostgresWarehouse:
    """A PostgreSQL database as the warehouse; a connection is opened for each call and closed after it."""

    def __init__(self, settings: PostgresConnection) -> None:
        self._database = Database(settings)

    def migrate(self) -> None:
        """Creates or upgrades the `penstock` schema; nothing happens where it is current."""
        with self._database.session() as sql:
            ledger.migrate(sql)

    def load(self, plan: LoadPlan, batch: StagedBatch, store: ObjectStore) -> LoadResult:
        """Loads a staged batch as the plan says, in one transaction with its ledger row.

        Loads of one table wait for each other, as long as `lock_timeout_seconds` says; those of others do not.

        Raises:
            ConfigurationError: the plan cannot work, or there is no such server or database.
            RejectedError: the credentials are wrong, a right is missing, or a statement took too long.
            TransientError: the server cannot be reached, is full, or another transaction holds the table.
            GuardError: the load would have destroyed data; the table is untouched.
            SchemaContractError: the columns differ from what the contract allows.
            DataError: rows cannot be read, do not fit, or do not add up.
        """
        with self._database.session() as sql, staged_files(store) as files:
            return run_load(sql, plan, batch, files)

    def loads(self, *, targets: Sequence[TableRef] = (), touching: Span | None = None) -> list[LoadRecord]:
        """Returns ledger rows in the order they were committed; all of them without a filter.

        Args:
            targets: Only of these tables.
            touching: Only what tells whether this time is loaded and where each table stands; see the contract.
        """
        with self._database.session() as sql:
            return ledger.load_records(sql, targets=targets, touching=touching) if ledger.current_version(sql) else []

    def seen_files(self, target: TableRef, candidates: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Returns those of `(source_name, source_etag)` whose rows the table holds from earlier loads."""
        if not candidates:
            return set()
        with self._database.session() as sql:
            return ledger.seen_files(sql, target, candidates) if ledger.current_version(sql) else set()

    def record_transform(self, records: Sequence[TransformRecord]) -> None:
        """Writes the rows of one run's transform into `penstock.transforms`, in place of any that it has there."""
        with self._database.session() as sql:
            ledger.migrate(sql)
            ledger.write_transform(sql, records)

    @contextmanager
    def lent_to_process(self) -> Iterator[Mapping[str, str]]:
        """Tells a process where the warehouse is; loads go on beside it.

        The password's name begins as dbt wants it for values that it keeps out of its logs.
        """
        settings = self._database.settings
        yield {
            "PENSTOCK_POSTGRES_HOST": settings.host,
            "PENSTOCK_POSTGRES_PORT": str(settings.port),
            "PENSTOCK_POSTGRES_DATABASE": settings.database,
            "PENSTOCK_POSTGRES_USER": settings.user,
            "PENSTOCK_POSTGRES_SSLMODE": settings.sslmode,
            "DBT_ENV_SECRET_PENSTOCK_POSTGRES_PASSWORD": (
                settings.password.get_secret_value() if settings.password else ""
            ),
        }

    def preview(self, plan: LoadPlan, columns: Sequence[str]) -> list[str]:
        """Returns what a load would do to the tables as they are, as SQL statements; touches nothing."""
        with self._database.session() as sql:
            table = describe(sql, plan.target)
        return preview_load(plan, columns, table)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Runs one read-only query, with `?` for each parameter; instants come in UTC.

        Raises:
            RejectedError: the query is wrong (`driver_message` says how), or would write.
        """
        with self._database.session({"default_transaction_read_only": "on"}) as opened, explained(is_query=True):
            columns, rows = opened.named_rows(_numbered(sql) if parameters else sql, parameters)
            return Rows(columns, [tuple(in_utc(value) for value in row) for row in rows])


def _numbered(sql: str) -> str:
    """Returns a query with `$1`, `$2` for its question marks."""
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] != "?":
            return found[0]
        count += 1
        return f"${count}"

    return _MARK.sub(number, sql)
