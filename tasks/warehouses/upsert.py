"""`incremental` as DuckDB and PostgreSQL apply it, by the statements of their `sql/upsert.sql`."""

from __future__ import annotations

from penstock.strategy import Incremental
from tasks.warehouses.keys import same_keys
from tasks.warehouses.load_state import AnyLoadState
from tasks.warehouses.quoting import identifiers


def upsert_landed(state: AnyLoadState, strategy: Incremental, *, is_newer: str, rank: str | None) -> None:
    """Keeps the newest row of each key.

    Rows are newer by `order_by`, then by when they were extracted, then by their place in the batch. A row that comes
    late, older than the target's, changes nothing.

    Args:
        state: The load.
        strategy: Names the keys.
        is_newer: The condition under which a landed row (`l`) is as new as the target's (`t`), or newer.
        rank: The expression of a landed row's place by `order_by`; None without one.
    """
    values = {
        "target": state.target,
        "columns": identifiers(state.landed_columns),
        "keys": identifiers(strategy.key_columns),
        "same_keys": same_keys(strategy.key_columns),
        "is_newer": is_newer,
        "order": f"{rank} DESC, " if rank else "",
    }
    counts = state.counts
    if state.count("upsert", "count_duplicates", values):
        state.run("upsert", "drop_duplicates", values)
    if state.table.has_rows:
        state.run("upsert", "match", values)
        state.run("upsert", "drop_older", values)
        counts.updated = state.count("upsert", "count_updated", values)
        state.run("upsert", "delete_replaced", values)
    counts.inserted = state.run("upsert", "insert", values) - counts.updated
