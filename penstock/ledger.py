"""The ledger's rows and the questions asked of it: what is loaded, what is missing, where the next window starts."""

from __future__ import annotations

from pydantic import AwareDatetime

from penstock.artifacts import RunKind, TableRef
from penstock.spec import Artifact


class LoadRecord(Artifact):
    """One row of `penstock.loads`, written in the transaction that wrote the data. Times are UTC."""

    batch_id: str
    client: str
    pipeline: str
    source: str
    dataset: str
    target: TableRef
    strategy: str
    interval_start: AwareDatetime | None
    interval_end: AwareDatetime | None
    timezone: str
    as_of: AwareDatetime
    run_kind: RunKind
    run_id: str
    rows_staged: int
    rows_landed: int
    rows_rejected: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    rows_total: int | None
    size_bytes: int
    file_count: int
    extracted_at: AwareDatetime
    loaded_at: AwareDatetime
