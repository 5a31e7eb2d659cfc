"""`full_refresh`, `append` and `partition`: rows go into the target, and those they replace go out."""

from __future__ import annotations

from penstock.strategy import Partition
from tasks.warehouses.guards import RowCheck, check_replacement, check_shrink
from tasks.warehouses.partition import outside_checks, range_values
from tasks.warehouses.snowflake.load_state import LoadState
from tasks.warehouses.snowflake.ordering import instant
from tasks.warehouses.snowflake.quoting import identifier, identifiers, literal
from tasks.warehouses.snowflake.templates import statement


def replace_all(state: LoadState) -> None:
    """Puts the batch in the place of all rows, in one statement: readers see the old rows until the commit."""
    check_shrink(state.plan, rows_before=state.table.row_count, rows_landed=state.counts.landed)
    state.sql.run(statement("rows", "overwrite", _values(state)))
    state.counts.inserted = state.counts.landed
    state.counts.deleted = state.table.row_count


def replace_window(state: LoadState) -> None:
    """Replaces what earlier loads of the interval brought; for a full interval, of the same files."""
    interval, values = state.plan.interval, _values(state)
    if interval.is_full:
        _replace(state, statement("rows", "delete_files", values))
    else:
        bounds = {"start": literal(interval.start), "end": literal(interval.end)}
        _replace(state, statement("rows", "delete_window", values | bounds))


def replace_partition(state: LoadState, strategy: Partition) -> None:
    """Replaces the earlier rows whose column lies in the interval."""
    if strategy.column not in state.types:
        return
    when = {"instant": instant(identifier(strategy.column))}
    values = {**_values(state), **when, **range_values(state, strategy)}
    is_text = state.types[strategy.column] == "VARCHAR"
    _replace(state, statement("rows", "delete_range" if is_text else "delete_typed_range", values))


def partition_checks(state: LoadState, strategy: Partition) -> list[RowCheck]:
    """Returns what rejects a row: its column is no time of the interval."""
    return outside_checks(state, instant(identifier(strategy.column)))


def _values(state: LoadState) -> dict[str, str]:
    return {"target": state.target, "rows": state.names.rows, "columns": identifiers(state.landed_columns)}


def _replace(state: LoadState, delete: str) -> None:
    counts = state.counts
    if state.table.row_count:
        counts.deleted = state.sql.run(delete)
        check_replacement(state.plan, rows_replaced=counts.deleted, rows_landed=counts.landed)
    if counts.landed:
        state.sql.run(statement("rows", "insert", _values(state)))
    counts.inserted = counts.landed
