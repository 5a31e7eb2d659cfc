"""What the steps of one load hand to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from penstock.artifacts import METADATA_COLUMNS, LoadPlan, StagedBatch
from tasks.warehouses.columns import ColumnChange, own_columns
from tasks.warehouses.counts import LoadCounts
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.reading import Reading
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.duckdb.tables import Table
from tasks.warehouses.quoting import literal, table_name

LANDING = "landing"
REJECTED = "rejected"


@dataclass
class LoadState:
    """A load under way.

    Attributes:
        sql: The open warehouse, in a transaction.
        plan: What was decided.
        batch: The staged files.
        paths: Where they are.
        table: The target as it was before the load.
        loaded_at: What `_loaded_at` will hold.
        readings: The queries that read the files.
        change: What becomes of its columns.
        types: All columns that the target has now, with their types, in order.
    """

    sql: Sql
    plan: LoadPlan
    batch: StagedBatch
    paths: StagedPaths
    table: Table
    loaded_at: datetime
    readings: Sequence[Reading] = ()
    change: ColumnChange = field(default_factory=lambda: ColumnChange(written=(), created=()))
    types: Mapping[str, str] = field(default_factory=dict)
    counts: LoadCounts = field(default_factory=LoadCounts)
    warnings: list[str] = field(default_factory=list)

    @property
    def target(self) -> str:
        """The target's full name, quoted."""
        return table_name(self.plan.target)

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The target's columns that are the dataset's."""
        return own_columns(tuple(self.types))

    @property
    def landed_columns(self) -> tuple[str, ...]:
        """The dataset's columns and the metadata: what landing fills."""
        return (*self.own_columns, *METADATA_COLUMNS)

    def metadata(self, source_file: str) -> dict[str, str]:
        """Returns the expressions of the metadata columns.

        Args:
            source_file: The expression of the first one.
        """
        interval = self.plan.interval
        values = {
            "_batch_id": self.plan.batch_id,
            "_window_start": interval.start,
            "_window_end": interval.end,
            "_extracted_at": self.plan.extracted_at,
            "_loaded_at": self.loaded_at,
        }
        return {"_source_file": source_file, **{name: literal(value) for name, value in values.items()}}
