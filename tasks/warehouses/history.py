"""`historical` as DuckDB and PostgreSQL apply it, by the statements of their `sql/history.sql`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from penstock.strategy import Historical
from tasks.warehouses.guards import check_shrink
from tasks.warehouses.keys import key_names, named_keys, same_keys
from tasks.warehouses.load_state import AnyLoadState
from tasks.warehouses.quoting import identifier, identifiers, literal

_LATE_SNAPSHOT = "the extract is older than one that is loaded, so keys that it lacks were not closed"


def add_versions(state: AnyLoadState, strategy: Historical, values: dict[str, str]) -> None:
    """Puts the landed rows into the histories of their keys.

    A row that differs in any column from the version of its time is a version of its own; late ones land in their place
    and end the version before them. With `order_by` the result does not depend on the order in which batches come.
    Without it a version holds since the extraction that first saw it, and an unchanged row leaves no trace.
    """
    _drop_repeated(state, values)
    if strategy.absent == "close":
        state.counts.updated += _close_absent(state, values)
        _drop_repeated(state, values)
    if strategy.order_by is None:
        state.run("history", "drop_unchanged", values)
    _follow_open_versions(state, values)
    if state.count("history", "count_late", values):
        _rebuild_histories(state, values)


def is_late(state: AnyLoadState, newest: datetime | None) -> bool:
    """Returns whether the target holds a newer extraction, and warns where it does."""
    if newest is None or newest <= state.plan.extracted_at:
        return False
    state.warnings.append(_LATE_SNAPSHOT)
    return True


def history_values(
    state: AnyLoadState, strategy: Historical, *, digest: Callable[[Sequence[str], str], str], no_digest: str
) -> dict[str, str]:
    """Returns what fills the statements.

    Args:
        state: The load.
        strategy: Names the keys and the order.
        digest: Gives an expression that digests columns of a row under an alias.
        no_digest: The expression where none is needed: with `order_by` the times of neighbours already differ.
    """
    keys = strategy.key_columns
    compared = [column for column in state.change.written if column not in keys]
    same_content = [f"l.{identifier(column)} IS NOT DISTINCT FROM t.{identifier(column)}" for column in compared]
    if strategy.order_by:
        in_force = "t._valid_from = l._valid_from"
    else:
        in_force = "t._valid_from <= l._valid_from AND (t._valid_to IS NULL OR l._valid_from < t._valid_to)"
    is_digested = compared and not strategy.order_by
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
        "content_of_l": digest(compared, "l") if is_digested else no_digest,
        "content_of_t": digest(compared, "t") if is_digested else no_digest,
        "extracted_at": literal(state.plan.extracted_at),
    }


def _drop_repeated(state: AnyLoadState, values: dict[str, str]) -> None:
    """Keeps the last landed row of each key and time."""
    if state.count("history", "count_repeated", values):
        state.run("history", "drop_repeated", values)


def _close_absent(state: AnyLoadState, values: dict[str, str]) -> int:
    """Ends the open versions of keys that a full extract lacks, and returns how many.

    A late extract says nothing of the time after it.
    """
    if is_late(state, state.newest_extraction):
        return 0
    rows_open = state.count("history", "count_open", values)
    check_shrink(state.plan, rows_before=rows_open, rows_landed=state.counts.landed)
    closed = state.run("history", "close_absent", values)
    state.run("history", "reopen", values)
    return closed


def _follow_open_versions(state: AnyLoadState, values: dict[str, str]) -> None:
    """Applies the rows that simply come after what is known of their keys, and leaves the others in `landing`."""
    counts = state.counts
    state.run("history", "match", values)
    state.run("history", "find_late", values)
    state.run("history", "forget_late", values)
    with state.by_place():
        counts.updated += state.run("history", "end_open", values)
    counts.inserted += state.run("history", "insert_open", values)


def _rebuild_histories(state: AnyLoadState, values: dict[str, str]) -> None:
    """Puts late rows in their places, among all that is known of their keys."""
    counts = state.counts
    state.run("history", "keep_late", values)
    state.run("history", "drop_unchanged", values)
    state.run("history", "timeline", values)
    counts.deleted += state.run("history", "delete_superseded", values)
    with state.by_place():
        counts.updated += state.run("history", "update_ends", values)
    counts.inserted += state.run("history", "insert", values)
