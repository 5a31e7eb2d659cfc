"""`historical`: every version of a key with the time it held (a slowly changing dimension of type 2)."""

from __future__ import annotations

from penstock.strategy import Historical
from tasks.warehouses.guards import check_shrink
from tasks.warehouses.keys import key_names, named_keys, same_keys
from tasks.warehouses.postgres.ledger import last_extraction
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.templates import statement
from tasks.warehouses.quoting import identifier, identifiers, literal

_LATE_SNAPSHOT = "the extract is older than one that is loaded, so keys that it lacks were not closed"


def date_versions(state: LoadState, strategy: Historical) -> None:
    """Gives the landed rows the time since which they hold; it is the extraction's where there is no `order_by`."""
    if strategy.order_by:
        state.sql.run(statement("history", "date", {"order_by": identifier(strategy.order_by)}))


def add_versions(state: LoadState, strategy: Historical) -> None:
    """Puts the landed rows into the histories of their keys.

    A row that differs in any column from the version of its time is a version of its own; late ones land in their place
    and end the version before them. With `order_by` the result does not depend on the order in which batches come.
    Without it a version holds since the extraction that first saw it, and an unchanged row leaves no trace.
    """
    values = _values(state, strategy)
    sql, counts = state.sql, state.counts
    _drop_repeated(state, values)
    if strategy.absent == "close":
        counts.updated += _close_absent(state, values)
        _drop_repeated(state, values)
    if strategy.order_by is None:
        sql.run(statement("history", "drop_unchanged", values))
    _follow_open_versions(state, values)
    if sql.count(statement("history", "count_late", values)):
        _rebuild_histories(state, values)


def _drop_repeated(state: LoadState, values: dict[str, str]) -> None:
    if state.sql.count(statement("history", "count_repeated", values)):
        state.sql.run(statement("history", "drop_repeated", values))


def _follow_open_versions(state: LoadState, values: dict[str, str]) -> None:
    """Applies the rows that simply come after what is known of their keys, and leaves the others in `landing`."""
    sql, counts = state.sql, state.counts
    sql.run(statement("history", "match", values))
    sql.run(statement("history", "find_late", values))
    counts.updated += sql.run(statement("history", "end_open", values))
    counts.inserted += sql.run(statement("history", "insert_open", values))


def _rebuild_histories(state: LoadState, values: dict[str, str]) -> None:
    """Puts late rows in their places, among all that is known of their keys."""
    sql, counts = state.sql, state.counts
    sql.run(statement("history", "keep_late", values))
    sql.run(statement("history", "drop_unchanged", values))
    sql.run(statement("history", "timeline", values))
    counts.deleted += sql.run(statement("history", "delete_superseded", values))
    counts.updated += sql.run(statement("history", "update_ends", values))
    counts.inserted += sql.run(statement("history", "insert", values))


def _close_absent(state: LoadState, values: dict[str, str]) -> int:
    """Ends the open versions of keys that a full extract lacks; a late extract says nothing of the time after it."""
    newest = last_extraction(state.sql, state.plan.target)
    if newest is not None and newest > state.plan.extracted_at:
        state.warnings.append(_LATE_SNAPSHOT)
        return 0
    rows_open = state.sql.count(statement("history", "count_open", values))
    check_shrink(state.plan, rows_before=rows_open, rows_landed=state.counts.landed)
    closed = state.sql.run(statement("history", "close_absent", values))
    state.sql.run(statement("history", "reopen", values))
    return closed


def _values(state: LoadState, strategy: Historical) -> dict[str, str]:
    keys = strategy.key_columns
    compared = [column for column in state.change.written if column not in keys]
    same_content = [f"l.{identifier(column)} IS NOT DISTINCT FROM t.{identifier(column)}" for column in compared]
    if strategy.order_by:
        in_force = "t._valid_from = l._valid_from"
    else:
        in_force = "t._valid_from <= l._valid_from AND (t._valid_to IS NULL OR l._valid_from < t._valid_to)"
    return {
        "target": state.target,
        "columns": identifiers(state.landed_columns),
        "columns_of_l": identifiers(state.landed_columns, "l."),
        "keys": identifiers(keys),
        "keys_of_l": identifiers(keys, "l."),
        "keys_of_t": identifiers(keys, "t."),
        "names": key_names(keys),
        "named_keys_of_t": named_keys(keys, "t"),
        "same_keys": same_keys(keys),
        "in_force": in_force,
        "same_content": " AND ".join(same_content) or "true",
        "content_of_l": _content(strategy, compared, "l"),
        "content_of_t": _content(strategy, compared, "t"),
        "extracted_at": literal(state.plan.extracted_at),
    }


def _content(strategy: Historical, compared: list[str], alias: str) -> str:
    """Returns a digest of a row's values where neighbours may be equal; with `order_by` their times already differ."""
    if strategy.order_by or not compared:
        return "NULL::text"
    return f"md5((SELECT row_to_json(r) FROM (SELECT {identifiers(compared, alias + '.')}) AS r)::text)"
