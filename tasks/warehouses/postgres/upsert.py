"""`incremental`: the newest row of each key stays."""

from __future__ import annotations

from penstock.strategy import Incremental
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.order import is_newer
from tasks.warehouses.quoting import identifier
from tasks.warehouses.upsert import upsert_landed


def upsert(state: LoadState, strategy: Incremental) -> None:
    """Applies the landed rows to the target.

    Neither MERGE nor ON CONFLICT would do: the table may hold a key several times, from loads by another strategy.
    """
    order_by = strategy.order_by
    rank = f"penstock.rank({identifier(order_by)}::text)" if order_by else None
    upsert_landed(state, strategy, is_newer=is_newer(order_by), rank=rank)
