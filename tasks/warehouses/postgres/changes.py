"""`cdc`: inserts, updates and deletes, applied in their order."""

from __future__ import annotations

from penstock.strategy import Cdc
from tasks.warehouses.changes import apply_landed_changes
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.order import is_newer
from tasks.warehouses.quoting import identifier, identifiers, literals


def apply_changes(state: LoadState, strategy: Cdc) -> None:
    """Applies the landed changes to the target."""
    keys = strategy.key_columns
    key_texts = ", ".join(f"l.{identifier(key)}::text" for key in keys)
    marker, deleted = identifier(strategy.delete_column), literals(strategy.delete_values)
    expressions = {
        "keys_of_l": identifiers(keys, "l."),
        "is_deleted": f"coalesce(l.{marker}::text IN ({deleted}), false)",
        "is_older": f"NOT ({is_newer(strategy.order_by)})",
        "digest": f"encode(sha256(convert_to(to_json(ARRAY[{key_texts}])::text, 'UTF8')), 'hex')",
    }
    apply_landed_changes(state, strategy, expressions)
