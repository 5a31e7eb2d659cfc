"""`cdc`: inserts, updates and deletes, applied in their order."""

from __future__ import annotations

from penstock.strategy import Cdc
from tasks.warehouses.changes import apply_landed_changes
from tasks.warehouses.duckdb.landing import is_newer
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.quoting import identifier


def apply_changes(state: LoadState, strategy: Cdc) -> None:
    """Applies the landed changes to the target; landing has told the deletes."""
    key_texts = ", ".join(f"CAST(l.{identifier(key)} AS VARCHAR)" for key in strategy.key_columns)
    expressions = {
        "is_older": f"NOT ({is_newer(strategy.order_by)})",
        "digest": f"sha256(CAST(to_json([{key_texts}]) AS VARCHAR))",
    }
    apply_landed_changes(state, strategy, expressions)
