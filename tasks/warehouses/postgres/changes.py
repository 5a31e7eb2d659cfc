"""`cdc`: inserts, updates and deletes, applied in their order."""

from __future__ import annotations

from penstock.strategy import Cdc
from tasks.warehouses.keys import key_names, named_keys, same_keys, same_named_keys
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.order import is_newer
from tasks.warehouses.postgres.templates import statement
from tasks.warehouses.quoting import identifier, identifiers, literal, literals

_IS_INSERT = "NOT is_deleted AND target_row IS NULL"
_IS_UPDATE = "NOT is_deleted AND target_row IS NOT NULL"
_IS_HARD_DELETE = "is_deleted AND target_row IS NOT NULL"


def apply_changes(state: LoadState, strategy: Cdc) -> None:
    """Applies the landed changes to the target.

    A change older than what the table holds of its key is passed over, whenever it comes. `soft` deletes mark the row
    and leave its values as the last insert or update gave them, for many feeds send only the key with a delete. `hard`
    deletes remove the row and leave a tombstone in `penstock.tombstones`, so that no older change brings it back.
    """
    values = _values(state, strategy)
    sql, counts = state.sql, state.counts
    is_hard = strategy.deletes == "hard"
    if state.table.has_rows:
        sql.run(statement("changes", "drop_older", values))
    has_tombstones = is_hard and bool(sql.count(statement("changes", "count_tombstones", values)))
    if has_tombstones:
        sql.run(statement("changes", "drop_buried", values))
    sql.run(statement("changes", "outcome", values))
    counts.inserted, counts.updated, counts.deleted = (
        sql.count(statement("changes", "count_outcome", values | {"condition": condition}))
        for condition in (_IS_INSERT, _IS_UPDATE, _IS_HARD_DELETE if is_hard else "is_deleted")
    )
    sql.run(statement("changes", "revise", values))
    if has_tombstones:
        sql.run(statement("changes", "forget_tombstones", values))
    if is_hard:
        sql.run(statement("changes", "write_tombstones", values))
    if state.table.has_rows:
        sql.run(statement("changes", "delete_changed", values))
    sql.run(statement("changes", "insert", values))


def _values(state: LoadState, strategy: Cdc) -> dict[str, str]:
    target, is_hard, keys = state.plan.target, strategy.deletes == "hard", strategy.key_columns
    columns = state.landed_columns if is_hard else (*state.landed_columns, "_is_deleted")
    key_texts = ", ".join(f"l.{identifier(key)}::text" for key in keys)
    marker, deleted = identifier(strategy.delete_column), literals(strategy.delete_values)
    return {
        "target": state.target,
        "columns": identifiers(columns),
        "revised": ", ".join(_revised(state, strategy, column) for column in columns),
        "names": key_names(keys),
        "keys_of_l": identifiers(keys, "l."),
        "named_keys_of_l": named_keys(keys, "l"),
        "same_keys": same_keys(keys),
        "same_named_keys": same_named_keys(keys, "f", "t"),
        "is_deleted": f"coalesce(l.{marker}::text IN ({deleted}), false)",
        "is_older": f"NOT ({is_newer(strategy.order_by)})",
        "order_by": identifier(strategy.order_by),
        "digest": f"encode(sha256(convert_to(to_json(ARRAY[{key_texts}])::text, 'UTF8')), 'hex')",
        "target_schema": literal(target.schema_name),
        "target_table": literal(target.name),
        "of_target": f"target_schema = {literal(target.schema_name)} AND target_table = {literal(target.name)}",
        "kept": "NOT o.is_deleted" if is_hard else "true",
    }


def _revised(state: LoadState, strategy: Cdc, column: str) -> str:
    """Returns a column of the row that a key ends up with."""
    name = identifier(column)
    if column == "_is_deleted":
        return f"o.is_deleted AS {name}"
    from_last = {strategy.order_by, strategy.delete_column, *strategy.key_columns}
    if column in from_last or column not in state.own_columns:
        return f"w.{name}"
    return f"CASE WHEN o.base_row IS NOT NULL THEN b.{name} ELSE t.{name} END AS {name}"
