"""`incremental`, `historical` and `cdc`: what the table will have is worked out beside it, and put in its place.

Each strategy fills the table `applied` with one query over the landed rows and the target. Then the target's rows of
those keys go out and the applied ones come in; readers see that only with the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from penstock.strategy import Cdc, Historical, Incremental
from tasks.warehouses.guards import check_shrink
from tasks.warehouses.history import is_late
from tasks.warehouses.keys import Keyed
from tasks.warehouses.snowflake.ledger import last_extraction
from tasks.warehouses.snowflake.load_state import LoadState
from tasks.warehouses.snowflake.ordering import by_rank, is_newer, rank_columns
from tasks.warehouses.snowflake.quoting import identifier, identifiers, literal
from tasks.warehouses.snowflake.templates import statement

OUTCOME, ORDER = "penstock$outcome", "penstock$order"
_PLACE = ("penstock$file_number", "penstock$row")


def create_applied(state: LoadState) -> None:
    """Makes the table that a strategy fills; DDL, so before the transaction."""
    columns = ", ".join(f"{identifier(name)} {of_type}" for name, of_type in state.types.items())
    more = f"{identifier(OUTCOME)} VARCHAR, {identifier(ORDER)} VARCHAR"
    state.sql.run(f"CREATE TRANSIENT TABLE {state.names.applied} ({columns}, {more}) DATA_RETENTION_TIME_IN_DAYS = 0")


def upsert(state: LoadState, strategy: Incremental) -> None:
    """Keeps the newest row of each key; a row that comes late, older than the target's, changes nothing."""
    order_by = strategy.order_by
    values = {
        **_values(state, strategy.key_columns),
        "rank_of_l": rank_columns(order_by, "l"),
        "rank_of_t": rank_columns(order_by, "t"),
        "newest_first": by_rank(order_by, "DESC", _PLACE),
        "newest_held_first": by_rank(order_by, "DESC", ["_extracted_at"]),
        "is_newer": is_newer(order_by, "l", "h"),
    }
    state.sql.run(statement("upsert", "apply", values))
    found = _put_in_place(state, strategy.key_columns, ("insert", "update"))
    state.counts.inserted, state.counts.updated = found.get("insert", 0), found.get("update", 0)


def apply_changes(state: LoadState, strategy: Cdc) -> None:
    """Applies inserts, updates and deletes in their order.

    `soft` deletes mark the row and leave its values as the last insert or update gave them, for many feeds send only
    the key with a delete. `hard` deletes remove the row and leave a tombstone, so that no older change brings it back.
    """
    is_hard, sql = strategy.deletes == "hard", state.sql
    values = _change_values(state, strategy)
    sql.run(statement("changes", "apply", values))
    kept = ("insert", "update") if is_hard else ("insert", "update", "delete", "bury")
    found = _put_in_place(state, strategy.key_columns, kept)
    if is_hard:
        sql.run(statement("changes", "forget_tombstones", values))
        sql.run(statement("changes", "write_tombstones", values))
    counts = state.counts
    counts.inserted, counts.updated = found.get("insert", 0), found.get("update", 0)
    counts.deleted = found.get("delete", 0) + (0 if is_hard else found.get("bury", 0))


def add_versions(state: LoadState, strategy: Historical) -> None:
    """Puts the landed rows into the histories of their keys.

    A row that differs in any column from the version of its time is a version of its own; late ones land in their place
    and end the version before them. With `order_by` the result does not depend on the order in which batches come.
    Without it a version holds since the extraction that first saw it, and an unchanged row leaves no trace.
    """
    values = _history_values(state, strategy)
    closed = _close_absent(state, values) if strategy.absent == "close" else 0
    state.sql.run(statement("history", "apply", values))
    found = _outcomes(state)
    removed = _delete_applied(state, strategy.key_columns)
    _insert_applied(state, ("insert", "update", "same"))
    kept = found.get("update", 0) + found.get("same", 0)
    counts = state.counts
    counts.inserted, counts.updated, counts.deleted = (
        found.get("insert", 0),
        closed + found.get("update", 0),
        removed - kept,
    )


def _close_absent(state: LoadState, values: dict[str, str]) -> int:
    """Ends the open versions of keys that a full extract lacks; a late extract says nothing of the time after it."""
    newest = last_extraction(state.sql, state.plan.target)
    if is_late(state, newest):
        values["reopens"] = "FALSE"
        return 0
    rows_open = state.sql.count(statement("history", "count_open", values))
    check_shrink(state.plan, rows_before=rows_open, rows_landed=state.counts.landed)
    return state.sql.run(statement("history", "close_absent", values))


def _put_in_place(state: LoadState, keys: Sequence[str], kept: Sequence[str]) -> dict[str, int]:
    found = _outcomes(state)
    _delete_applied(state, keys)
    _insert_applied(state, kept)
    return found


def _outcomes(state: LoadState) -> dict[str, int]:
    return dict(state.sql.rows(statement("rows", "count_outcomes", {"applied": state.names.applied})))


def _delete_applied(state: LoadState, keys: Sequence[str]) -> int:
    values = {
        "target": state.target,
        "applied": state.names.applied,
        "named_keys_of_a": _named_keys(keys, "a"),
        "same_named_keys": _same_named_keys(keys, "a", "t"),
    }
    return state.sql.run(statement("rows", "delete_applied", values))


def _insert_applied(state: LoadState, kept: Sequence[str]) -> None:
    values = {
        "target": state.target,
        "applied": state.names.applied,
        "columns": identifiers(state.types),
        "kept": ", ".join(literal(outcome) for outcome in kept),
    }
    state.sql.run(statement("rows", "insert_applied", values))


def _values(state: LoadState, keys: Sequence[str]) -> dict[str, str]:
    return {
        "target": state.target,
        "rows": state.names.rows,
        "applied": state.names.applied,
        "columns": identifiers(state.landed_columns),
        "columns_of_l": identifiers(state.landed_columns, "l."),
        "columns_of_t": identifiers(state.landed_columns, "t."),
        "keys": identifiers(keys),
        "keys_of_l": identifiers(keys, "l."),
        "keys_of_t": identifiers(keys, "t."),
        "first_key": identifier(keys[0]),
        "names": ", ".join(f"k{number}" for number in range(len(keys))),
        "named_keys_of_t": _named_keys(keys, "t"),
        "same_keys": _same_keys(keys, "l", "t"),
        "same_named_keys": _same_named_keys(keys, "h", "l"),
    }


def _change_values(state: LoadState, strategy: Cdc) -> dict[str, str]:
    keys, target, order_by = strategy.key_columns, state.plan.target, strategy.order_by
    columns = [name for name in state.types if name in {*state.landed_columns, "_is_deleted"}]
    schema, name = literal(target.schema_name), literal(target.name)
    of_target = f"target_schema = {schema} AND target_table = {name}"
    return {
        **_values(state, keys),
        "columns": identifiers(columns),
        "revised": ", ".join(_revised(state, strategy, column) for column in columns),
        "rank_of_l": rank_columns(order_by, "l"),
        "rank_of_t": rank_columns(order_by, "t"),
        "rank_of_d": rank_columns("order_value", "d"),
        "newest_held_first": by_rank(order_by, "DESC", ["_extracted_at"]),
        "last_first": by_rank(order_by, "DESC", _PLACE),
        "first_first": by_rank(order_by, "ASC", _PLACE),
        "is_newer_than_h": is_newer(order_by, "l", "h"),
        "is_newer_than_d": is_newer(order_by, "l", "d"),
        "same_keys_of_u": _same_keys(keys, "l", "u"),
        "same_keys_of_f": _same_keys(keys, "l", "f"),
        "digest_of_l": _digest(keys, "l"),
        "digest_of_a": _digest(keys, "a"),
        "order_by": identifier(order_by),
        "of_target": f"d.target_schema = {schema} AND d.target_table = {name}",
        "of_target_only": of_target,
        "target_schema": schema,
        "target_table": name,
    }


def _revised(state: LoadState, strategy: Cdc, column: str) -> str:
    """Returns a column of the row that a key ends up with."""
    name = identifier(column)
    from_last = {strategy.order_by, strategy.delete_column, *strategy.key_columns}
    if column in from_last or column not in state.own_columns:
        return f"l.{name}"
    first = identifier(strategy.key_columns[0])
    return (
        f"CASE WHEN NOT l._is_deleted THEN l.{name} WHEN u.{first} IS NOT NULL THEN u.{name} "
        f"WHEN h.k0 IS NULL THEN f.{name} ELSE h.{name} END"
    )


def _history_values(state: LoadState, strategy: Historical) -> dict[str, str]:
    keys = strategy.key_columns
    compared = [column for column in state.change.written if column not in keys]
    same = [f"l.{identifier(column)} IS NOT DISTINCT FROM t.{identifier(column)}" for column in compared]
    in_force = "t._valid_from = l.begins_at"
    if not strategy.order_by:
        in_force = "t._valid_from <= l.begins_at AND (t._valid_to IS NULL OR l.begins_at < t._valid_to)"
    closing = [
        f"t.{identifier(name)}" if name in keys else f"CAST(NULL AS {state.types[name]})"
        for name in state.landed_columns
    ]
    return {
        **_values(state, keys),
        "closing_columns": ", ".join(closing),
        "same_keys_of_c": _same_named_keys(keys, "c", "l"),
        "in_force": in_force,
        "same_content": " AND ".join(same) or "TRUE",
        "content_of_l": _content(strategy, compared, "l"),
        "content_of_t": _content(strategy, compared, "t"),
        "extracted_at": literal(state.plan.extracted_at),
        "reopens": "TRUE" if strategy.absent == "close" else "FALSE",
    }


def _content(strategy: Historical, compared: Sequence[str], alias: str) -> str:
    """Returns a digest of a row's values where neighbours may be equal; with `order_by` their times already differ."""
    if strategy.order_by or not compared:
        return "CAST(NULL AS VARCHAR)"
    return f"MD5({_joined([f'{alias}.{identifier(column)}' for column in compared])})"


def _digest(keys: Sequence[str], alias: str) -> str:
    return f"SHA2({_joined([f'{alias}.{identifier(key)}' for key in keys])}, 256)"


def _joined(values: Sequence[str]) -> str:
    """Returns a text of values, each behind its length, so that no two rows of values have one text."""
    texts = (f"CAST({value} AS VARCHAR)" for value in values)
    return " || ".join(f"COALESCE(CAST(LENGTH({text}) AS VARCHAR) || ':' || {text}, '-')" for text in texts)


def _named_keys(keys: Sequence[str], alias: str) -> str:
    return ", ".join(f"{alias}.{identifier(key)} AS k{number}" for number, key in enumerate(keys))


def _same_keys(keys: Sequence[str], left: str, right: str) -> str:
    return " AND ".join(f"{left}.{identifier(key)} = {right}.{identifier(key)}" for key in keys)


def _same_named_keys(keys: Sequence[str], named: str, other: str) -> str:
    return " AND ".join(f"{named}.k{number} = {other}.{identifier(key)}" for number, key in enumerate(keys))


def apply_keyed(state: LoadState, strategy: Keyed) -> None:
    """Gives the landed rows the effect of a strategy with keys."""
    match strategy:
        case Incremental():
            upsert(state, strategy)
        case Historical():
            add_versions(state, strategy)
        case Cdc():
            apply_changes(state, strategy)
