"""The target table: what it has, and what a load adds to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

from penstock.artifacts import TableRef
from tasks.warehouses.postgres.connection import Sql
from tasks.warehouses.postgres.templates import statement
from tasks.warehouses.quoting import identifier, identifiers, literal, literals, table_name
from tasks.warehouses.tables import ColumnTypes

TEXT = "text"
TIME = "timestamp with time zone"
TYPES = ColumnTypes(text=TEXT, time=TIME, boolean="boolean")

_INDEX_DIGITS = 10

_FROM_DUCKDB = {
    "VARCHAR": TEXT,
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "UTINYINT": "smallint",
    "SMALLINT": "smallint",
    "USMALLINT": "integer",
    "INTEGER": "integer",
    "UINTEGER": "bigint",
    "BIGINT": "bigint",
    "UBIGINT": "numeric(20,0)",
    "HUGEINT": "numeric(39,0)",
    "UHUGEINT": "numeric(39,0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIME": "time without time zone",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP_S": "timestamp without time zone",
    "TIMESTAMP_MS": "timestamp without time zone",
    "TIMESTAMP_NS": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": TIME,
    "UUID": "uuid",
    "BLOB": "bytea",
}
_TO_DUCKDB = {
    "boolean": "BOOLEAN",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "date": "DATE",
    "time without time zone": "TIME",
    "timestamp without time zone": "TIMESTAMP",
    TIME: "TIMESTAMP WITH TIME ZONE",
    "uuid": "UUID",
    "bytea": "BLOB",
    "numeric(20,0)": "UBIGINT",
    "numeric(39,0)": "HUGEINT",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+), ?(\d+)\)")
_NUMERIC = re.compile(r"numeric\((\d+),(\d+)\)")
_WIDEST_DECIMAL = 38


class Table(NamedTuple):
    """A table as it is: its columns with their types, in order; `exists` is off before the first load."""

    ref: TableRef
    exists: bool
    types: Mapping[str, str]
    has_rows: bool = False


def describe(sql: Sql, ref: TableRef) -> Table:
    """Returns what the warehouse has of a table."""
    query = (
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    types = dict(sql.rows(query, [table_name(ref)]))
    has_rows = bool(types) and bool(sql.rows(f"SELECT 1 FROM {table_name(ref)} LIMIT 1"))
    return Table(ref, exists=bool(types), types=types, has_rows=has_rows)


def type_of(duckdb_type: str) -> str:
    """Returns the type that holds the values of one of DuckDB's types; text (JSON for nested ones) where none does."""
    if decimal := _DECIMAL.fullmatch(duckdb_type):
        return f"numeric({decimal[1]},{decimal[2]})"
    return _FROM_DUCKDB.get(duckdb_type, TEXT)


def duckdb_type_of(of_type: str) -> str:
    """Returns DuckDB's type whose values a column can hold; `VARCHAR` for those it does not have."""
    numeric = _NUMERIC.fullmatch(of_type)
    if numeric and int(numeric[1]) <= _WIDEST_DECIMAL and of_type not in _TO_DUCKDB:
        return f"DECIMAL({numeric[1]},{numeric[2]})"
    return _TO_DUCKDB.get(of_type, "VARCHAR")


def columns_of(types: Mapping[str, str], defaults: Mapping[str, str] | None = None) -> str:
    """Returns the columns of a CREATE TABLE, some with a default."""
    return ", ".join(
        f"{identifier(name)} {of_type}" + (f" DEFAULT {defaults[name]}" if defaults and name in defaults else "")
        for name, of_type in types.items()
    )


def change_statements(table: Table, types: Mapping[str, str]) -> list[str]:
    """Returns the DDL that gives an existing table the columns it needs."""
    name = table_name(table.ref)
    added = [
        f"ALTER TABLE {name} ADD COLUMN {identifier(column)} {of_type}"
        # Rows that no change has marked are not deleted.
        + (" DEFAULT false" if column == "_is_deleted" else "")
        for column, of_type in types.items()
        if column not in table.types
    ]
    return added + [
        f"ALTER TABLE {name} ALTER COLUMN {identifier(column)} TYPE {types[column]} "
        f"USING {identifier(column)}::{types[column]}"
        for column, of_type in table.types.items()
        if types[column] != of_type
    ]


def create_key_index(sql: Sql, ref: TableRef, keys: Iterable[str]) -> None:
    """Makes an index on the keys; nothing happens where one begins with them."""
    keys = tuple(keys)
    values = {
        "name": literal(table_name(ref)),
        "last_place": str(len(keys) - 1),
        "keys": literals(keys),
    }
    if not sql.count(statement("replace", "index_over", values)):
        digest = sha256(f"{ref}({keys})".encode()).hexdigest()[:_INDEX_DIGITS]
        name = f"{ref.name[:40]}_keys_{digest}"
        sql.run(f"CREATE INDEX IF NOT EXISTS {identifier(name)} ON {table_name(ref)} ({identifiers(keys)})")
