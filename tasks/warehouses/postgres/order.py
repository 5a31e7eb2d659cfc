"""Which of two rows with one key is newer."""

from __future__ import annotations

from tasks.warehouses.quoting import identifier


def is_newer(order_by: str | None, left: str = "l", right: str = "t") -> str:
    """Returns the condition under which a row is as new as another, or newer."""
    return f"{_recency(order_by, left)} >= {_recency(order_by, right)}"


def _recency(order_by: str | None, alias: str) -> str:
    if order_by is None:
        return f"{alias}._extracted_at"
    return f"(penstock.rank({alias}.{identifier(order_by)}::text), {alias}._extracted_at)"
