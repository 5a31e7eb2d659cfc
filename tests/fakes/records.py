"""Rows of a ledger."""

from __future__ import annotations

from typing import Any

from penstock.artifacts import Interval, TableRef
from penstock.ledger import LoadRecord

ORDERS = TableRef(schema_name="acme_bronze", name="rest__orders")


def load_record(interval: Interval, **changes: Any) -> LoadRecord:
    """Returns what a load of one row of the interval would have written, at the time it was decided."""
    facts = {
        "batch_id": f"{interval.start}-{interval.end}-{interval.as_of}",
        "client": "acme",
        "pipeline": "acme-orders",
        "source": "rest",
        "dataset": "orders",
        "target": ORDERS,
        "strategy": "append",
        "interval_start": interval.start,
        "interval_end": interval.end,
        "timezone": interval.timezone,
        "as_of": interval.as_of,
        "run_kind": "forward",
        "run_id": "run",
        "rows_staged": 1,
        "rows_landed": 1,
        "rows_rejected": 0,
        "rows_inserted": 1,
        "rows_updated": 0,
        "rows_deleted": 0,
        "rows_total": 1,
        "size_bytes": 1,
        "file_count": 1,
        "extracted_at": interval.as_of,
        "loaded_at": interval.as_of,
    }
    return LoadRecord.model_validate(facts | changes)
