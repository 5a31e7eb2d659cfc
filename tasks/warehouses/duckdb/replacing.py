"""`full_refresh`, `append` and `partition`: rows go straight into the target, and those they replace go out.

The batch is read once, without a landing table; the transaction keeps readers from seeing the table between.
"""

from __future__ import annotations

from penstock.strategy import Partition
from tasks.warehouses.duckdb.batch_query import batch_query
from tasks.warehouses.duckdb.connection import spare_memory
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.duckdb.reading_parquet import has_narrow_rows
from tasks.warehouses.duckdb.rejects import collect_failing
from tasks.warehouses.duckdb.templates import statement
from tasks.warehouses.guards import check_replacement, check_shrink
from tasks.warehouses.partition import outside_checks, range_values
from tasks.warehouses.quoting import identifier, identifiers, literal


def land_in_target(state: LoadState) -> int:
    """Reads the batch into the target and returns the rows that landed."""
    paths = [path for reading in state.readings for path in reading.paths]
    if state.plan.typed and paths and has_narrow_rows(state.sql, paths):
        spare_memory(state.sql)
    values = {
        "target": state.target,
        "columns": identifiers(state.landed_columns),
        "select": batch_query(state),
    }
    return state.sql.run(statement("replace", "insert", values))


def replace_all(state: LoadState) -> None:
    """Judges the table that has replaced the old one."""
    check_shrink(state.plan, rows_before=state.table.row_count, rows_landed=state.counts.landed)
    state.counts.inserted = state.counts.landed
    state.counts.deleted = state.table.row_count


def replace_window(state: LoadState) -> None:
    """Deletes what earlier loads of the interval brought; for a full interval, of the same files."""
    interval = state.plan.interval
    values = {"target": state.target, "batch_id": literal(state.plan.batch_id)}
    if interval.is_full:
        _delete_earlier(state, statement("replace", "delete_files", values))
    else:
        bounds = {"start": literal(interval.start), "end": literal(interval.end)}
        _delete_earlier(state, statement("replace", "delete_window", values | bounds))


def replace_partition(state: LoadState, strategy: Partition) -> None:
    """Deletes the earlier rows whose column lies in the interval."""
    if strategy.column not in state.types:
        return
    values = {
        "target": state.target,
        "batch_id": literal(state.plan.batch_id),
        **range_values(state, strategy),
    }
    is_text = state.types[strategy.column] == "VARCHAR"
    _delete_earlier(state, statement("replace", "delete_range" if is_text else "delete_typed_range", values))


def reject_outside_partition(state: LoadState, strategy: Partition) -> int:
    """Rejects rows whose column is no time of the interval, and returns how many."""
    checks = outside_checks(state, f"penstock_instant({identifier(strategy.column)})")
    return collect_failing(state, state.target, f"_batch_id = {literal(state.plan.batch_id)}", checks)


def _delete_earlier(state: LoadState, delete: str) -> None:
    if not state.table.row_count:
        state.counts.inserted = state.counts.landed
        return
    state.counts.deleted = state.sql.run(delete)
    state.counts.inserted = state.counts.landed
    check_replacement(state.plan, rows_replaced=state.counts.deleted, rows_landed=state.counts.landed)
