"""What the steps of one load hand to each other, on every warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from penstock.artifacts import METADATA_COLUMNS, LoadPlan, StagedBatch
from tasks.warehouses.columns import ColumnChange, own_columns
from tasks.warehouses.counts import LoadCounts
from tasks.warehouses.quoting import STANDARD, Quoting
from tasks.warehouses.tables import TargetTable
from tasks.warehouses.templates import SqlFiles


class Statements(Protocol):
    """An open warehouse, as far as the shared steps need it."""

    def run(self, statement: str, /) -> int:
        """Runs a statement and returns how many rows it changed."""

    def count(self, query: str, /) -> int:
        """Returns the one number that a query gives."""


@dataclass(kw_only=True)
class AnyLoadState:
    """A load under way; each warehouse's has more.

    Attributes:
        sql: The open warehouse, in a transaction.
        plan: What was decided.
        batch: The staged files.
        table: The target as it was before the load.
        loaded_at: What `_loaded_at` will hold.
        newest_extraction: When the newest extraction was made that the target holds; None before the first.
        change: What becomes of its columns.
        types: All columns that the target has in the end, with their types, in order.
    """

    sql_files: ClassVar[SqlFiles]
    quoting: ClassVar[Quoting] = STANDARD

    sql: Statements
    plan: LoadPlan
    batch: StagedBatch
    table: TargetTable
    loaded_at: datetime
    newest_extraction: datetime | None = None
    change: ColumnChange = field(default_factory=lambda: ColumnChange(written=(), created=()))
    types: Mapping[str, str] = field(default_factory=dict)
    counts: LoadCounts = field(default_factory=LoadCounts)
    warnings: list[str] = field(default_factory=list)

    @property
    def target(self) -> str:
        """The target's full name, quoted."""
        return self.quoting.table_name(self.plan.target)

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The target's columns that are the dataset's."""
        return own_columns(tuple(self.types))

    @property
    def landed_columns(self) -> tuple[str, ...]:
        """The dataset's columns and the metadata: what landing fills."""
        return (*self.own_columns, *METADATA_COLUMNS)

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata columns that are the same for all rows (not `_source_file`), as literals."""
        interval = self.plan.interval
        values = {
            "_batch_id": self.plan.batch_id,
            "_window_start": interval.start,
            "_window_end": interval.end,
            "_extracted_at": self.plan.extracted_at,
            "_loaded_at": self.loaded_at,
        }
        return {name: self.quoting.literal(value) for name, value in values.items()}

    def by_place(self) -> AbstractContextManager[None]:
        """Lets the statements of the block find the target's rows by their places, which one other table tells."""
        return nullcontext()

    def run(self, file: str, name: str, values: Mapping[str, str]) -> int:
        """Runs a statement of the warehouse's SQL files and returns how many rows it changed."""
        return self.sql.run(self.sql_files.statement(file, name, values))

    def count(self, file: str, name: str, values: Mapping[str, str]) -> int:
        """Returns the one number that a query of the warehouse's SQL files gives."""
        return self.sql.count(self.sql_files.statement(file, name, values))
