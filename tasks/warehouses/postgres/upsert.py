"""`incremental`: the newest row of each key stays."""

from __future__ import annotations

from penstock.strategy import Incremental
from tasks.warehouses.keys import same_keys
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.order import is_newer
from tasks.warehouses.postgres.templates import statement
from tasks.warehouses.quoting import identifier, identifiers


def upsert(state: LoadState, strategy: Incremental) -> None:
    """Applies the landed rows to the target.

    Rows are newer by `order_by`, then by when they were extracted, then by their place in the batch. A row that comes
    late, older than the target's, changes nothing. Neither MERGE nor ON CONFLICT would do: the table may hold a key
    several times, from loads by another strategy.
    """
    order_by = strategy.order_by
    values = {
        "target": state.target,
        "columns": identifiers(state.landed_columns),
        "keys": identifiers(strategy.key_columns),
        "same_keys": same_keys(strategy.key_columns),
        "is_newer": is_newer(order_by),
        "order": f"penstock.rank({identifier(order_by)}::text) DESC, " if order_by else "",
    }
    sql, counts = state.sql, state.counts
    if sql.count(statement("upsert", "count_duplicates", values)):
        sql.run(statement("upsert", "drop_duplicates", values))
    if state.table.has_rows:
        sql.run(statement("upsert", "match", values))
        sql.run(statement("upsert", "drop_older", values))
        counts.updated = sql.count(statement("upsert", "count_updated", values))
        sql.run(statement("upsert", "delete_replaced", values))
    counts.inserted = sql.run(statement("upsert", "insert", values)) - counts.updated
