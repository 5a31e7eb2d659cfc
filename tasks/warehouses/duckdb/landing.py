"""The landing table of the strategies that compare a batch with what the target has."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.strategy import Cdc, Historical
from tasks.warehouses.columns import needed_columns
from tasks.warehouses.duckdb.batch_query import batch_query
from tasks.warehouses.duckdb.load_state import LANDING, LoadState
from tasks.warehouses.duckdb.rejects import collect_failing
from tasks.warehouses.duckdb.templates import statement
from tasks.warehouses.keys import Keyed, unusable_checks
from tasks.warehouses.quoting import identifier, literals


def land_in_table(state: LoadState) -> int:
    """Reads the batch into the temporary table `landing`, in the batch's order, and returns its rows."""
    computed = _computed(state.plan.strategy) if knows_columns(state) else ""
    values = {"select": batch_query(state), "computed": computed}
    state.sql.run("SET preserve_insertion_order = true")  # a row's number says which was read last
    landed = state.sql.run(statement("replace", "land", values))
    state.sql.run("SET preserve_insertion_order = false")
    return landed


def knows_columns(state: LoadState) -> bool:
    """Returns whether the table has the columns that the strategy reads; before the first record it may have none."""
    return set(needed_columns(state.plan.strategy)) <= set(state.types)


def reject_unusable(state: LoadState, strategy: Keyed) -> int:
    """Rejects rows that the strategy cannot place: without a key, or without a place in the order it needs."""
    return collect_failing(state, LANDING, "true", unusable_checks(strategy))


def is_newer(order_by: str | None, left: str = "l", right: str = "t") -> str:
    """Returns the condition under which a row is as new as another, or newer."""
    return f"{_recency(order_by, left)} >= {_recency(order_by, right)}"


def _recency(order_by: str | None, alias: str) -> str:
    if order_by is None:
        return f"{alias}._extracted_at"
    return f"(penstock_rank({alias}.{identifier(order_by)}), {alias}._extracted_at)"


def _computed(strategy: object) -> str:
    """Returns what landing computes beside the batch's columns, as the end of a select list."""
    computed: Mapping[str, str] = {}
    if isinstance(strategy, Historical):
        order_by = strategy.order_by
        computed = {"_valid_from": f"penstock_instant({identifier(order_by)})" if order_by else "_extracted_at"}
    if isinstance(strategy, Cdc):
        marker, deleted = identifier(strategy.delete_column), literals(strategy.delete_values)
        computed = {"_is_deleted": f"coalesce(CAST({marker} AS VARCHAR) IN ({deleted}), false)"}
    return "".join(f", {expression} AS {name}" for name, expression in computed.items())
