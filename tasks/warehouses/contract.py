"""The warehouse contract: what every warehouse does, and what every caller may rely on.

`tests/contract/test_warehouse_contract.py` is the suite, fed by data, that a warehouse passes. `load` is one
transaction: landing, reconciliation, guards, the strategy's effect and the ledger row are committed together or not at
all, whatever happens to the process. Driver errors arrive as the error tree's types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from penstock.artifacts import LoadPlan, LoadResult, StagedBatch, TableRef
from penstock.ledger import LoadRecord, Span
from penstock.transforms import TransformRecord
from tasks.staging.contract import ObjectStore


class Rows(NamedTuple):
    """A query's answer: column names, and rows in the order the query gives."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Warehouse(Protocol):
    """A place of bronze tables and of the ledger."""

    def migrate(self) -> None:
        """Creates or upgrades the `penstock` schema; nothing happens where it is current."""

    def load(self, plan: LoadPlan, batch: StagedBatch, store: ObjectStore) -> LoadResult:
        """Loads a staged batch as the plan says, in one transaction with its ledger row.

        A batch whose id the ledger has, or whose interval is covered while `plan.reload` is off, changes nothing and
        gives `already_loaded`.
        """

    def loads(self, *, targets: Sequence[TableRef] = (), touching: Span | None = None) -> list[LoadRecord]:
        """Returns ledger rows in the order they were committed; all of them without a filter.

        Args:
            targets: Only of these tables.
            touching: Only loads whose interval shares time with `[start, end]` or adjoins it (full ones: whose `as_of`
                lies in it), and of each table its last load, its last full refresh and the forward load that ends
                last. The questions of `penstock.ledger` about that time, and the forward position, come out as from
                all rows; a table of ten-minute windows has 50,000 a year, which take two seconds to read.
        """

    def seen_files(self, target: TableRef, candidates: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Returns those of `(source_name, source_etag)` that earlier loads of the table already hold."""

    def record_transform(self, records: Sequence[TransformRecord]) -> None:
        """Writes the rows of one run's transform into `penstock.transforms`, in place of any that it has there."""

    def lent_to_process(self) -> AbstractContextManager[Mapping[str, str]]:
        """Lets a process of its own (dbt) use the warehouse while the block runs.

        Gives the environment variables that lead dbt's profile to it; they may hold secrets and go to that process
        only. Loads of this project wait where the warehouse takes one process at a time.
        """

    def preview(self, plan: LoadPlan, columns: Sequence[str]) -> list[str]:
        """Returns what a load would do to the tables as they are, as SQL statements in order; touches nothing.

        Without columns, the table's own stand in; before the first load, those that the strategy reads. What a load
        only sets up for itself is left out.
        """

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        """Runs one read-only query."""
