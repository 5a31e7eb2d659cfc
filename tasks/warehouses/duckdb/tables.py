"""The target table: what it has, and what a load adds to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from penstock.artifacts import METADATA_COLUMNS, TableRef
from penstock.strategy import Cdc, Historical, LoadStrategy
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.quoting import identifier, literal, table_name

METADATA_TYPES = {
    name: "VARCHAR" if name in {"_source_file", "_batch_id"} else "TIMESTAMPTZ" for name in METADATA_COLUMNS
}


class Table(NamedTuple):
    """A table as it is: its columns with their types, in order; `exists` is off before the first load."""

    ref: TableRef
    exists: bool
    types: Mapping[str, str]
    row_count: int


def describe(sql: Sql, ref: TableRef) -> Table:
    """Returns what the warehouse has of a table; not inside a transaction."""
    query = f"SELECT lower(name), type FROM pragma_table_info({literal(table_name(ref))}) ORDER BY cid"
    types = dict(sql.rows_if_exists(query) or ())
    row_count = sql.count(f"SELECT count(*) FROM {table_name(ref)}") if types else 0
    return Table(ref, exists=bool(types), types=types, row_count=row_count)


def strategy_types(strategy: LoadStrategy) -> dict[str, str]:
    """Returns the columns that a strategy adds, with their types."""
    if isinstance(strategy, Historical):
        return {"_valid_from": "TIMESTAMPTZ", "_valid_to": "TIMESTAMPTZ", "_is_current": "BOOLEAN"}
    if isinstance(strategy, Cdc) and strategy.deletes == "soft":
        return {"_is_deleted": "BOOLEAN"}
    return {}


def prepare_statements(table: Table, types: Mapping[str, str], *, is_replaced: bool = False) -> list[str]:
    """Returns the DDL that gives a table the columns it needs.

    Args:
        table: The table as it is.
        types: All columns that it has to have, with their types.
        is_replaced: Whether the load makes the table anew.
    """
    name = table_name(table.ref)
    if is_replaced or not table.exists:
        schema = f"CREATE SCHEMA IF NOT EXISTS {identifier(table.ref.schema_name)}"
        columns = ", ".join(f"{identifier(column)} {of_type}" for column, of_type in types.items())
        return [schema] if is_replaced else [schema, f"CREATE TABLE IF NOT EXISTS {name} ({columns})"]
    added = [
        f"ALTER TABLE {name} ADD COLUMN {identifier(column)} {of_type}{_default(column)}"
        for column, of_type in types.items()
        if column not in table.types
    ]
    return added + [
        f"ALTER TABLE {name} ALTER COLUMN {identifier(column)} SET DATA TYPE {types[column]}"
        for column, of_type in table.types.items()
        if types[column] != of_type
    ]


def column_types(table: Table, changed: Mapping[str, str], strategy: LoadStrategy) -> dict[str, str]:
    """Returns all columns that a table will have, in order: those it has, new ones, metadata, the strategy's.

    Args:
        table: The table as it is.
        changed: The dataset's columns that are new or get another type.
        strategy: May bring columns of its own.
    """
    ours = {**METADATA_TYPES, **strategy_types(strategy)}
    return {**ours, **table.types, **changed} if table.exists else {**changed, **ours}


def widened_types(sql: Sql, table: Table, incoming: Mapping[str, str]) -> dict[str, str]:
    """Returns the table's columns that cannot hold what comes, with the types that hold both."""
    unified = {
        name: unified_types(sql, [table.types[name], of_type])
        for name, of_type in incoming.items()
        if table.types.get(name, of_type) != of_type
    }
    return {name: of_type for name, of_type in unified.items() if of_type != table.types[name]}


def _default(column: str) -> str:
    """Returns the default of a column that is added; rows that no change has marked are not deleted."""
    return f" DEFAULT {literal(False)}" if column == "_is_deleted" else ""


def unified_types(sql: Sql, types: Sequence[str]) -> str:
    """Returns the type that holds the values of several."""
    distinct = list(dict.fromkeys(types))
    if len(distinct) == 1:
        return distinct[0]
    union = " UNION ALL ".join(f"SELECT CAST(NULL AS {one}) AS value" for one in distinct)
    return str(sql.rows(f"DESCRIBE {union}")[0][1])
