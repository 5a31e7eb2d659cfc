"""What a load counts, and the ledger's row and the result that are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from penstock.artifacts import LoadPlan, LoadResult, StagedBatch
from penstock.errors import ConfigurationError
from penstock.ledger import LoadRecord
from tasks.warehouses.columns import ColumnChange


@dataclass
class LoadCounts:
    """Rows, as the ledger tells them."""

    landed: int = 0
    rejected: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def staged(self) -> int:
        """Rows that the files hold: each landed or was rejected."""
        return self.landed + self.rejected


def check_batch(plan: LoadPlan, batch: StagedBatch) -> None:
    """Checks that a plan and staged files belong together.

    Raises:
        ConfigurationError: they are of different batches.
    """
    if plan.batch_id != batch.batch_id:
        raise ConfigurationError(
            "the plan and the staged files are not of one batch",
            guidance="Pass what one run has planned and staged.",
            planned=plan.batch_id,
            staged=batch.batch_id,
        )


def load_record(
    plan: LoadPlan, batch: StagedBatch, counts: LoadCounts, *, rows_total: int, loaded_at: datetime
) -> LoadRecord:
    """Returns the ledger's row of a load.

    Args:
        plan: What was decided.
        batch: The staged files.
        counts: What became of their rows.
        rows_total: Rows of the table after the load.
        loaded_at: What `_loaded_at` holds.
    """
    return LoadRecord(
        batch_id=batch.batch_id,
        client=plan.client,
        pipeline=plan.pipeline,
        source=plan.source,
        dataset=plan.dataset,
        target=plan.target,
        strategy=plan.strategy.kind,
        interval_start=plan.interval.start,
        interval_end=plan.interval.end,
        timezone=plan.interval.timezone,
        as_of=plan.interval.as_of,
        run_kind=plan.run_kind,
        run_id=plan.run_id,
        rows_staged=counts.staged,
        rows_landed=counts.landed,
        rows_rejected=counts.rejected,
        rows_inserted=counts.inserted,
        rows_updated=counts.updated,
        rows_deleted=counts.deleted,
        rows_total=rows_total,
        size_bytes=batch.size_bytes or sum(file.size_bytes for file in batch.files),
        file_count=len(batch.files),
        extracted_at=plan.extracted_at,
        loaded_at=loaded_at,
    )


def load_result(record: LoadRecord, change: ColumnChange, warnings: Sequence[str]) -> LoadResult:
    """Returns what a load did, as its ledger row tells it."""
    return LoadResult(
        outcome="loaded",
        target=record.target,
        batch_id=record.batch_id,
        rows_staged=record.rows_staged,
        rows_landed=record.rows_landed,
        rows_rejected=record.rows_rejected,
        rows_inserted=record.rows_inserted,
        rows_updated=record.rows_updated,
        rows_deleted=record.rows_deleted,
        rows_total=record.rows_total,
        columns_added=change.added,
        columns_missing=change.missing,
        columns_ignored=change.ignored,
        warnings=tuple(warnings),
    )
