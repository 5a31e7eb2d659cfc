"""`full_refresh`, `append` and `partition`: rows come in, and those they replace go out.

Readers see the table as it was until the commit: rows are deleted, not truncated, and the table stays the same one, so
that views on it and rights keep working and nobody waits.
"""

from __future__ import annotations

from penstock.strategy import Append, FullRefresh, Partition
from tasks.warehouses.guards import check_replacement, check_shrink
from tasks.warehouses.partition import outside_checks, range_values
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.order import instant
from tasks.warehouses.postgres.rejects import reject_failing
from tasks.warehouses.postgres.templates import statement
from tasks.warehouses.quoting import identifiers, literal


def replace(state: LoadState, strategy: FullRefresh | Append | Partition) -> None:
    """Replaces what the strategy says by what has landed."""
    match strategy:
        case FullRefresh():
            _replace_all(state)
        case Append():
            _replace_window(state)
        case Partition():
            _replace_partition(state, strategy)


def _replace_all(state: LoadState) -> None:
    before = state.sql.count(f"SELECT count(*) FROM {state.target}") if state.table.has_rows else 0
    check_shrink(state.plan, rows_before=before, rows_landed=state.counts.landed)
    _replace_by(state, statement("replace", "delete_all", {"target": state.target}))


def _replace_window(state: LoadState) -> None:
    """Replaces what earlier loads of the interval brought; for a full interval, of the same files."""
    interval = state.plan.interval
    values = {"target": state.target}
    if interval.is_full:
        _replace_by(state, statement("replace", "delete_files", values))
    else:
        bounds = {"start": literal(interval.start), "end": literal(interval.end)}
        _replace_by(state, statement("replace", "delete_window", values | bounds))


def _replace_partition(state: LoadState, strategy: Partition) -> None:
    """Replaces the earlier rows whose column lies in the interval."""
    if strategy.column not in state.types:
        return
    reject_failing(state, state.landed_in, outside_checks(state, instant(strategy.column)))
    values = {"target": state.target, **range_values(state, strategy)}
    is_text = state.types[strategy.column] == "text"
    _replace_by(state, statement("replace", "delete_range" if is_text else "delete_typed_range", values))


def _replace_by(state: LoadState, delete: str) -> None:
    counts = state.counts
    if state.table.has_rows:
        counts.deleted = state.sql.run(delete)
        check_replacement(state.plan, rows_replaced=counts.deleted, rows_landed=counts.landed)
    if not state.lands_in_target:
        values = {"target": state.target, "columns": identifiers(state.landed_columns)}
        state.sql.run(statement("replace", "insert", values))
    counts.inserted = counts.landed
