"""`cdc` as DuckDB and PostgreSQL apply it, by the statements of their `sql/changes.sql`."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.strategy import Cdc
from tasks.warehouses.keys import key_names, named_keys, same_keys, same_named_keys
from tasks.warehouses.load_state import AnyLoadState
from tasks.warehouses.quoting import identifier, identifiers, literal

_IS_INSERT = "NOT is_deleted AND target_row IS NULL"
_IS_UPDATE = "NOT is_deleted AND target_row IS NOT NULL"
_IS_HARD_DELETE = "is_deleted AND target_row IS NOT NULL"


def apply_landed_changes(state: AnyLoadState, strategy: Cdc, expressions: Mapping[str, str]) -> None:
    """Applies the landed changes to the target.

    A change older than what the table holds of its key is passed over, whenever it comes. `soft` deletes mark the row
    and leave its values as the last insert or update gave them, for many feeds send only the key with a delete. `hard`
    deletes remove the row and leave a tombstone in `penstock.tombstones`, so that no older change brings it back.

    Args:
        state: The load.
        strategy: Names the keys, the order and what marks a delete.
        expressions: What the warehouse writes its own way: `is_older` and `digest` (of a landed row's keys).
    """
    values = {**_values(state, strategy), **expressions}
    counts = state.counts
    is_hard = strategy.deletes == "hard"
    if state.table.has_rows:
        state.run("changes", "drop_older", values)
    has_tombstones = is_hard and bool(state.count("changes", "count_tombstones", values))
    if has_tombstones:
        state.run("changes", "drop_buried", values)
    state.run("changes", "outcome", values)
    counts.inserted, counts.updated, counts.deleted = (
        state.count("changes", "count_outcome", values | {"condition": condition})
        for condition in (_IS_INSERT, _IS_UPDATE, _IS_HARD_DELETE if is_hard else "is_deleted")
    )
    state.run("changes", "revise", values)
    if has_tombstones:
        state.run("changes", "forget_tombstones", values)
    if is_hard:
        state.run("changes", "write_tombstones", values)
    if state.table.has_rows:
        state.run("changes", "delete_changed", values)
    state.run("changes", "insert", values)


def _values(state: AnyLoadState, strategy: Cdc) -> dict[str, str]:
    target, is_hard = state.plan.target, strategy.deletes == "hard"
    columns = state.landed_columns if is_hard else (*state.landed_columns, "_is_deleted")
    return {
        "target": state.target,
        "columns": identifiers(columns),
        "revised": ", ".join(_revised(state, strategy, column) for column in columns),
        "names": key_names(strategy.key_columns),
        "named_keys_of_l": named_keys(strategy.key_columns, "l"),
        "same_keys": same_keys(strategy.key_columns),
        "same_named_keys": same_named_keys(strategy.key_columns, "f", "t"),
        "order_by": identifier(strategy.order_by),
        "target_schema": literal(target.schema_name),
        "target_table": literal(target.name),
        "of_target": f"target_schema = {literal(target.schema_name)} AND target_table = {literal(target.name)}",
        "kept": "NOT o.is_deleted" if is_hard else "true",
    }


def _revised(state: AnyLoadState, strategy: Cdc, column: str) -> str:
    """Returns a column of the row that a key ends up with."""
    name = identifier(column)
    if column == "_is_deleted":
        return f"o.is_deleted AS {name}"
    from_last = {strategy.order_by, strategy.delete_column, *strategy.key_columns}
    if column in from_last or column not in state.own_columns:
        return f"w.{name}"
    return f"CASE WHEN o.base_row IS NOT NULL THEN b.{name} ELSE t.{name} END AS {name}"
