"""`historical`: every version of a key with the time it held (a slowly changing dimension of type 2)."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.strategy import Historical
from tasks.warehouses.duckdb.ledger import last_extraction
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.history import close_absent, drop_repeated, history_values, place_versions
from tasks.warehouses.quoting import identifier, literal


def add_versions(state: LoadState, strategy: Historical) -> None:
    """Puts the landed rows into the histories of their keys."""
    values = history_values(state, strategy, digest=_digest, no_digest="NULL")
    if strategy.absent == "close":
        state.counts.updated += close_absent(state, values, last_extraction(state.sql, state.plan.target))
    drop_repeated(state, values)
    place_versions(state, strategy, values)


def _digest(columns: Sequence[str], alias: str) -> str:
    fields = ", ".join(f"{literal(column)}: {alias}.{identifier(column)}" for column in columns)
    return f"md5(CAST(to_json({{{fields}}}) AS VARCHAR))"
