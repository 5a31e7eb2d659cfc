"""`historical`: every version of a key with the time it held (a slowly changing dimension of type 2)."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.strategy import Historical
from tasks.warehouses import history
from tasks.warehouses.duckdb.load_state import LoadState
from tasks.warehouses.history import history_values
from tasks.warehouses.quoting import identifier, literal


def add_versions(state: LoadState, strategy: Historical) -> None:
    """Puts the landed rows into the histories of their keys."""
    history.add_versions(state, strategy, history_values(state, strategy, digest=_digest, no_digest="NULL"))


def _digest(columns: Sequence[str], alias: str) -> str:
    fields = ", ".join(f"{literal(column)}: {alias}.{identifier(column)}" for column in columns)
    return f"md5(CAST(to_json({{{fields}}}) AS VARCHAR))"
