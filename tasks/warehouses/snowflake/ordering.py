"""What `order_by` compares, the one place that decides it: NULL, then text, then numbers, then instants.

So the order of two values never depends on other rows. Numbers that doubles cannot tell apart are compared as decimals.
A row's rank is five expressions, compared one after the other; Snowflake compares no tuples.
"""

from __future__ import annotations

from collections.abc import Sequence

from tasks.warehouses.snowflake.quoting import identifier, literal

RANKS = tuple(f"penstock$rank_{number}" for number in range(5))
"""The columns that hold a rank inside a query."""

_TIME = literal(r"\d{4}-\d{2}-\d{2}([T ].*)?")
_NUMBER = literal(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_EPOCH = "'1970-01-01 00:00:00+00:00'::TIMESTAMP_TZ"


def instant(value: str) -> str:
    """Returns a value that is written as an ISO 8601 date or time as an instant, and NULL for another.

    Without an offset it is in the session's zone, which a load sets to the interval's.
    """
    text = f"CAST({value} AS VARCHAR)"
    return f"CASE WHEN REGEXP_LIKE({text}, {_TIME}) THEN TRY_TO_TIMESTAMP_TZ({text}) END"


def rank(value: str) -> dict[str, str]:
    """Returns the expressions of a value's rank by the names of its columns."""
    text = f"CAST({value} AS VARCHAR)"
    is_number = f"REGEXP_LIKE({text}, {_NUMBER})"
    when = instant(value)
    kind = f"CASE WHEN {value} IS NULL THEN 0 WHEN {when} IS NOT NULL THEN 3 WHEN {is_number} THEN 2 ELSE 1 END"
    parts = (
        kind,
        f"COALESCE({when}, {_EPOCH})",
        f"CASE WHEN {is_number} THEN COALESCE(TRY_TO_DOUBLE({text}), 0) ELSE 0 END",
        f"CASE WHEN {is_number} THEN COALESCE(TRY_TO_DECIMAL({text}, 38, 9), 0) ELSE 0 END",
        f"CASE WHEN {value} IS NULL OR {when} IS NOT NULL OR {is_number} THEN '' ELSE {text} END",
    )
    return dict(zip(RANKS, parts, strict=True))


def rank_columns(order_by: str | None, alias: str) -> str:
    """Returns the columns of a rank, each behind a comma; nothing without an order."""
    if order_by is None:
        return ""
    value = f"{alias}.{identifier(order_by)}"
    return "".join(f", {expression} AS {identifier(name)}" for name, expression in rank(value).items())


def by_rank(order_by: str | None, direction: str, last: Sequence[str] = ()) -> str:
    """Returns what a window orders by: the rank, then other columns, all in one direction."""
    names = [*(RANKS if order_by else ()), *last]
    return ", ".join(f"{identifier(name)} {direction}" for name in names)


def is_newer(order_by: str | None, left: str, right: str) -> str:
    """Returns the condition under which a row is as new as another, or newer: by rank, then by extraction."""
    names = [*(RANKS if order_by else ()), "_extracted_at"]
    condition = f"{left}.{identifier(names[-1])} >= {right}.{identifier(names[-1])}"
    for name in reversed(names[:-1]):
        one, other = f"{left}.{identifier(name)}", f"{right}.{identifier(name)}"
        condition = f"{one} > {other} OR ({one} = {other} AND ({condition}))"
    return condition
