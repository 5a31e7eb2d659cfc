"""What the steps of one load hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from penstock.artifacts import METADATA_COLUMNS, LoadPlan, StagedBatch
from penstock.strategy import Append, FullRefresh, Partition
from tasks.warehouses.columns import ColumnChange, own_columns
from tasks.warehouses.counts import LoadCounts
from tasks.warehouses.postgres.connection import Sql
from tasks.warehouses.postgres.files import StagedFiles
from tasks.warehouses.postgres.tables import Table
from tasks.warehouses.quoting import literal, table_name

LANDING = "landing"


@dataclass
class LoadState:
    """A load under way.

    Attributes:
        sql: The open database, in a transaction.
        plan: What was decided.
        batch: The staged files.
        files: Reads them.
        table: The target as it was before the load.
        loaded_at: What `_loaded_at` will hold.
        brought: The batch's columns with DuckDB's types; None where no record or header tells.
        change: What becomes of its columns.
        types: All columns that the target has in the end, with their types, in order.
    """

    sql: Sql
    plan: LoadPlan
    batch: StagedBatch
    files: StagedFiles
    table: Table
    loaded_at: datetime
    brought: Mapping[str, str] | None = None
    change: ColumnChange = field(default_factory=lambda: ColumnChange(written=(), created=()))
    types: Mapping[str, str] = field(default_factory=dict)
    counts: LoadCounts = field(default_factory=LoadCounts)
    warnings: list[str] = field(default_factory=list)

    @property
    def target(self) -> str:
        """The target's full name, quoted."""
        return table_name(self.plan.target)

    @property
    def lands_in_target(self) -> bool:
        """Whether rows go straight into the target: it is new, so nobody reads it yet and nothing is replaced."""
        return not self.table.exists and isinstance(self.plan.strategy, FullRefresh | Append | Partition)

    @property
    def landed_in(self) -> str:
        """The table that the rows land in, quoted."""
        return self.target if self.lands_in_target else LANDING

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The target's columns that are the dataset's."""
        return own_columns(tuple(self.types))

    @property
    def landed_columns(self) -> tuple[str, ...]:
        """The dataset's columns and the metadata: what landing fills."""
        return (*self.own_columns, *METADATA_COLUMNS)

    def metadata(self) -> dict[str, str]:
        """Returns the values of the metadata columns that are the same for all rows, as literals."""
        interval = self.plan.interval
        values = {
            "_batch_id": self.plan.batch_id,
            "_window_start": interval.start,
            "_window_end": interval.end,
            "_extracted_at": self.plan.extracted_at,
            "_loaded_at": self.loaded_at,
        }
        return {name: literal(value) for name, value in values.items()}
