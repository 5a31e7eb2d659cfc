"""Which columns a load writes: the schema contract, decided from what the table has and what the batch brings.

Pure functions over names, the same for every warehouse. `existing` and `incoming` are a dataset's own columns, without
Penstock's metadata and the strategy's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from penstock.artifacts import METADATA_COLUMNS, LoadPlan, SchemaContract, TableRef
from penstock.errors import DataError, GuardError, SchemaContractError
from penstock.findings import nearest
from penstock.naming import STRATEGY_COLUMNS
from penstock.strategy import Cdc, Historical, Incremental, LoadStrategy, Partition

MAXIMUM_COLUMNS = 1500
"""PostgreSQL holds 1,600 in a table; JSON objects that are maps (an id for a key) soon have more."""


class ColumnChange(NamedTuple):
    """What becomes of the columns.

    Attributes:
        written: Columns that the batch fills, in the table's order.
        created: Columns that the table gets with this load: all of them where there is no table yet.
        added: Those of `created` that an existing table did not have.
        missing: Columns of the table that the batch does not bring; its rows hold NULL there.
        ignored: Columns of the batch that are dropped.
    """

    written: tuple[str, ...]
    created: tuple[str, ...]
    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def own_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Returns the dataset's own among a table's columns."""
    ours = frozenset(METADATA_COLUMNS + STRATEGY_COLUMNS)
    return tuple(name for name in columns if name not in ours)


def decide_columns(
    existing: Sequence[str] | None, incoming: Sequence[str] | None, contract: SchemaContract, *, target: TableRef
) -> ColumnChange:
    """Applies a schema contract.

    Args:
        existing: The table's own columns; None or empty where there is nothing to compare with yet.
        incoming: The batch's columns in order; None where the batch has no record to learn them from.
        contract: What to do about a difference.
        target: Names the table in errors.

    Raises:
        SchemaContractError: the contract is `freeze` and the columns differ.
        DataError: the table would have more columns than warehouses hold.
    """
    if incoming is None:
        return ColumnChange(written=(), created=())
    if not existing:
        _check_width(incoming, target)
        return ColumnChange(written=tuple(incoming), created=tuple(incoming))
    new = tuple(name for name in incoming if name not in set(existing))
    missing = tuple(name for name in existing if name not in set(incoming))
    kept = tuple(name for name in existing if name in set(incoming))
    if contract == "freeze" and (new or missing):
        raise SchemaContractError(
            "the columns differ from the frozen ones",
            guidance="Set the dataset's schema contract to `evolve` or `ignore`, or correct the source.",
            target=str(target),
            added=", ".join(new) or None,
            missing=", ".join(missing) or None,
        )
    if contract == "ignore":
        return ColumnChange(written=kept, created=(), missing=missing, ignored=new)
    _check_width((*existing, *new), target)
    return ColumnChange(written=(*kept, *new), created=new, added=new, missing=missing)


def needed_columns(strategy: LoadStrategy) -> tuple[str, ...]:
    """Returns the columns that a strategy reads."""
    match strategy:
        case Partition():
            return (strategy.column,)
        case Incremental() | Historical():
            return (*strategy.key_columns, strategy.order_by) if strategy.order_by else strategy.key_columns
        case Cdc():
            return (*strategy.key_columns, strategy.order_by, strategy.delete_column)
        case _:
            return ()


def check_needed_columns(plan: LoadPlan, change: ColumnChange, incoming: Sequence[str] | None) -> None:
    """Checks that the batch brings the columns its strategy reads.

    Raises:
        GuardError: one is not there; a batch without any record is let pass.
    """
    if incoming is None:
        return
    missing = [name for name in needed_columns(plan.strategy) if name not in set(change.written)]
    if missing:
        raise GuardError(
            "the batch lacks columns that its load strategy needs",
            guidance="Name columns of the dataset, as they are called in bronze.",
            target=str(plan.target),
            strategy=plan.strategy.kind,
            columns=", ".join(missing),
            nearest=nearest(missing[0], change.written),
        )


def check_widened(plan: LoadPlan, widened: Mapping[str, str]) -> None:
    """Checks whether columns may get a type that holds more.

    Raises:
        SchemaContractError: the contract is not `evolve`.
    """
    if widened and plan.schema_contract != "evolve":
        raise SchemaContractError(
            "the types of columns differ from those of the table",
            guidance="Set the dataset's schema contract to `evolve`, or correct the source.",
            target=str(plan.target),
            widened=", ".join(f"{name} to {of_type}" for name, of_type in widened.items()),
        )


def column_warnings(change: ColumnChange) -> tuple[str, ...]:
    """Returns what a person should know of the columns, as sentences."""
    warnings = []
    if change.added:
        warnings.append(f"columns that came for the first time and were added: {', '.join(change.added)}")
    if change.missing:
        warnings.append(f"columns that did not come and hold NULL: {', '.join(change.missing)}")
    if change.ignored:
        warnings.append(f"columns that came and were dropped: {', '.join(change.ignored)}")
    return tuple(warnings)


def _check_width(columns: Sequence[str], target: TableRef) -> None:
    if len(columns) > MAXIMUM_COLUMNS:
        raise DataError(
            "the records have more different keys than a table can have columns",
            guidance="Load objects that map ids to values below one key, so that they stay in one JSON column.",
            target=str(target),
            columns=len(columns),
            maximum=MAXIMUM_COLUMNS,
        )
