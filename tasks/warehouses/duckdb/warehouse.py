"""The warehouse contract over one DuckDB file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from penstock.artifacts import LoadPlan, LoadResult, StagedBatch, TableRef
from penstock.connections import DuckDBConnection
from penstock.errors import ConfigurationError
from penstock.ledger import LoadRecord, Span
from penstock.transforms import TransformRecord
from tasks.probing.contract import Seen
from tasks.staging.contract import ObjectStore
from tasks.warehouses.contract import Rows
from tasks.warehouses.duckdb import ledger
from tasks.warehouses.duckdb.connection import WarehouseFile
from tasks.warehouses.duckdb.errors import explained
from tasks.warehouses.duckdb.loading import run_load
from tasks.warehouses.duckdb.preview import preview_load
from tasks.warehouses.duckdb.staged_paths import staged_paths
from tasks.warehouses.duckdb.tables import describe
from tasks.warehouses.ledger_rows import in_utc
from tasks.warehouses.tables import CountedTable


class DuckDBWarehouse:
    """A DuckDB file as the warehouse; opened for each call and closed after it."""

    def __init__(self, settings: DuckDBConnection) -> None:
        self._file = WarehouseFile(settings)

    def migrate(self) -> None:
        """Creates or upgrades the `penstock` schema; nothing happens where it is current."""
        with self._file.writing() as sql:
            ledger.migrate(sql)

    def load(self, plan: LoadPlan, batch: StagedBatch, store: ObjectStore) -> LoadResult:
        """Loads a staged batch as the plan says, in one transaction with its ledger row.

        Raises:
            ConfigurationError: the plan cannot work, or the file cannot be opened.
            TransientError: the file is in use, or its disk is full.
            GuardError: the load would have destroyed data; the table is untouched.
            SchemaContractError: the columns differ from what the contract allows.
            DataError: rows cannot be read, do not fit, or do not add up.
        """
        self._file.check_schema(plan.target.schema_name)
        with self._file.writing() as sql, staged_paths(store, self._file.scratch) as paths:
            return run_load(sql, plan, batch, paths)

    def loads(self, *, targets: Sequence[TableRef] = (), touching: Span | None = None) -> list[LoadRecord]:
        """Returns ledger rows in the order they were committed; all of them without a filter.

        Args:
            targets: Only of these tables.
            touching: Only what tells whether this time is loaded and where each table stands; see the contract.
        """
        with self._file.reading() as sql:
            if sql is None or not ledger.current_version(sql):
                return []
            return ledger.load_records(sql, targets=targets, touching=touching)

    def seen_files(self, target: TableRef, candidates: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Returns those of `(source_name, source_etag)` whose rows the table holds from earlier loads."""
        with self._file.reading() as sql:
            if sql is None or not candidates or not ledger.current_version(sql):
                return set()
            return ledger.seen_files(sql, target, candidates)

    def record_transform(self, records: Sequence[TransformRecord]) -> None:
        """Writes the rows of one run's transform into `penstock.transforms`, in place of any that it has there."""
        with self._file.writing() as sql:
            ledger.migrate(sql)
            ledger.write_transform(sql, records)

    def probe(self) -> Seen:
        """Takes the lock and opens the file for writing, or checks that it could be made; changes nothing.

        Raises:
            TransientError: somebody else holds it.
            ConfigurationError: the file's folder cannot be made or written, or the file cannot be opened.
        """
        if not self._file.path.exists():
            self._file.check_folder()
            return Seen("the first load makes the file")
        with self._file.writing() as sql:
            version = ledger.current_version(sql)
        return Seen(f"opened for writing; ledger version {version}" if version else "opened for writing; no ledger yet")

    @contextmanager
    def lent_to_process(self) -> Iterator[Mapping[str, str]]:
        """Keeps our loads away while another process has the file, and tells that process where it is."""
        with self._file.lent():
            yield {"PENSTOCK_WAREHOUSE_PATH": str(self._file.path)}

    def preview(self, plan: LoadPlan, columns: Sequence[str]) -> list[str]:
        """Returns what a load would do to the tables as they are, as SQL statements; touches nothing.

        Raises:
            TransientError: the file is in use.
        """
        with self._file.reading() as sql:
            table = (
                CountedTable(plan.target, exists=False, types={}, row_count=0)
                if sql is None
                else describe(sql, plan.target)
            )
        return preview_load(plan, columns, table)

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Runs one read-only query; instants come in UTC.

        Raises:
            ConfigurationError: there is no warehouse yet.
            RejectedError: the query is wrong (`driver_message` says how), or would write.
        """
        with self._file.reading() as opened:
            if opened is None:
                raise ConfigurationError(
                    "there is no warehouse yet", guidance="Load something first.", path=str(self._file.path)
                )
            with explained(is_query=True):
                rows = opened.rows(sql, parameters)
            return Rows(opened.column_names(), [tuple(in_utc(value) for value in row) for row in rows])
