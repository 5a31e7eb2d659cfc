"""SQL conditions over a strategy's keys, and the checks that reject a row it cannot place."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.strategy import Cdc, Historical, Incremental
from tasks.warehouses.guards import RowCheck
from tasks.warehouses.quoting import identifier

Keyed = Incremental | Historical | Cdc


def unusable_checks(strategy: Keyed) -> list[RowCheck]:
    """Returns what rejects a landed row: it has no key, or no place in the order that the strategy needs."""
    checks = [RowCheck(f"{identifier(key)} IS NULL", "a key column is NULL") for key in strategy.key_columns]
    if isinstance(strategy, Historical):
        checks.append(RowCheck("_valid_from IS NULL", "the order_by column holds no time"))
    if isinstance(strategy, Cdc):
        checks.append(RowCheck(f"{identifier(strategy.order_by)} IS NULL", "the order_by column is NULL"))
    return checks


def same_keys(keys: Sequence[str], left: str = "l", right: str = "t") -> str:
    """Returns the condition under which two rows have one key."""
    return " AND ".join(f"{left}.{identifier(key)} = {right}.{identifier(key)}" for key in keys)


def key_names(keys: Sequence[str]) -> str:
    """Returns names for the keys inside a query, where their own could be those of its other columns."""
    return ", ".join(f"k{number}" for number in range(len(keys)))


def named_keys(keys: Sequence[str], alias: str) -> str:
    """Returns the keys of a row under those names."""
    return ", ".join(f"{alias}.{identifier(key)} AS k{number}" for number, key in enumerate(keys))


def same_named_keys(keys: Sequence[str], named: str, other: str) -> str:
    """Returns the condition under which a row with those names and another have one key."""
    return " AND ".join(f"{named}.k{number} = {other}.{identifier(key)}" for number, key in enumerate(keys))
