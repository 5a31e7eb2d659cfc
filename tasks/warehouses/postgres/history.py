"""`historical`: every version of a key with the time it held (a slowly changing dimension of type 2)."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.strategy import Historical
from tasks.warehouses import history
from tasks.warehouses.history import history_values
from tasks.warehouses.postgres.load_state import LoadState
from tasks.warehouses.postgres.order import instant
from tasks.warehouses.quoting import identifiers


def date_versions(state: LoadState, strategy: Historical) -> None:
    """Gives the landed rows the time since which they hold; it is the extraction's where there is no `order_by`."""
    if strategy.order_by:
        state.run("history", "date", {"instant": instant(strategy.order_by)})


def add_versions(state: LoadState, strategy: Historical) -> None:
    """Puts the landed rows into the histories of their keys."""
    history.add_versions(state, strategy, history_values(state, strategy, digest=_digest, no_digest="NULL::text"))


def _digest(columns: Sequence[str], alias: str) -> str:
    return f"md5((SELECT row_to_json(r) FROM (SELECT {identifiers(columns, alias + '.')}) AS r)::text)"
