"""`incremental`: the newest row of each key stays."""

from __future__ import annotations

from penstock.strategy import Incremental
from tasks.warehouses.duckdb.landing import is_newer
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.quoting import identifier
from tasks.warehouses.upsert import upsert_landed


def upsert(state: LoadState, strategy: Incremental) -> None:
    """Applies the landed rows to the target.

    DuckDB deletes and inserts several times faster than it merges, and in constant memory.
    """
    order_by = strategy.order_by
    rank = f"penstock_rank({identifier(order_by)})" if order_by else None
    upsert_landed(state, strategy, is_newer=is_newer(order_by), rank=rank)
