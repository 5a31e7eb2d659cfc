"""Which of two rows with one key is newer."""

from __future__ import annotations

from tasks.warehouses.quoting import identifier


def is_newer(order_by: str | None, left: str = "l", right: str = "t") -> str:
    """Returns the condition under which a row is as new as another, or newer.

    A rank takes a few microseconds; most rows that come again have the value that they had.
    """
    extracted_later = f"{left}._extracted_at >= {right}._extracted_at"
    if order_by is None:
        return extracted_later
    column = identifier(order_by)
    is_same = f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}"
    return f"CASE WHEN {is_same} THEN {extracted_later} ELSE {_recency(column, left)} >= {_recency(column, right)} END"


def _recency(column: str, alias: str) -> str:
    return f"(penstock.rank({alias}.{column}::text), {alias}._extracted_at)"
