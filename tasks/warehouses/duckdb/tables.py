"""The target table: what it has, and what a load adds to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from penstock.artifacts import TableRef
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.quoting import identifier, literal, table_name
from tasks.warehouses.tables import ColumnTypes, CountedTable

_VERSION = re.compile(r"v(\d+)\.(\d+)")
_FIRST_WITH_ZSTD = (1, 2)

_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
_WHOLE_DIGITS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "HUGEINT": 39}
_WHOLE_DIGITS |= {"UTINYINT": 3, "USMALLINT": 5, "UINTEGER": 10, "UBIGINT": 20, "UHUGEINT": 39}
_FLOAT_DIGITS = {"FLOAT": 6, "DOUBLE": 15}

_TEXT = "VARCHAR"
TYPES = ColumnTypes(text=_TEXT, time="TIMESTAMPTZ", boolean="BOOLEAN")


def describe(sql: Sql, ref: TableRef) -> CountedTable:
    """Returns what the warehouse has of a table; not inside a transaction."""
    query = f"SELECT lower(name), type FROM pragma_table_info({literal(table_name(ref))}) ORDER BY cid"
    types = dict(sql.rows_if_exists(query) or ())
    row_count = sql.count(f"SELECT count(*) FROM {table_name(ref)}") if types else 0
    return CountedTable(ref, exists=bool(types), types=types, row_count=row_count)


def prepare_statements(
    table: CountedTable, types: Mapping[str, str], *, is_replaced: bool = False, varied: Collection[str] = ()
) -> list[str]:
    """Returns the DDL that gives a table the columns it needs.

    Args:
        table: The table as it is.
        types: All columns that it has to have, with their types.
        is_replaced: Whether the load makes the table anew.
        varied: Text columns whose values hardly repeat. If the table is made here, they are compressed by zstd, since
            DuckDB's own choice takes half as long again to look for repetitions, and may need twice the room.
    """
    name = table_name(table.ref)
    if is_replaced or not table.exists:
        schema = f"CREATE SCHEMA IF NOT EXISTS {identifier(table.ref.schema_name)}"
        create = "CREATE OR REPLACE TABLE" if is_replaced else "CREATE TABLE IF NOT EXISTS"
        columns = (
            f"{identifier(column)} {of_type}{' USING COMPRESSION zstd' if column in varied else ''}"
            for column, of_type in types.items()
        )
        return [schema, f"{create} {name} ({', '.join(columns)})"]
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


def may_choose_zstd(sql: Sql) -> bool:
    """Returns whether the warehouse's file has a format that knows zstd, as it does since DuckDB 1.2."""
    query = "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = current_database()"
    found = _VERSION.search(str(sql.rows(query)[0][0]))
    return found is not None and tuple(map(int, found.groups())) >= _FIRST_WITH_ZSTD


def widened_types(sql: Sql, table: CountedTable, incoming: Mapping[str, str]) -> dict[str, str]:
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
    """Returns the type that holds the values of several as they are: DuckDB's choice for a union, or text.

    DuckDB's own is not always exact: two decimals of 38 digits lose those behind the point, whole numbers beside floats
    their last ones, and text beside bytes is read for escapes.
    """
    distinct = list(dict.fromkeys(types))
    if len(distinct) == 1:
        return distinct[0]
    union = " UNION ALL ".join(f"SELECT CAST(NULL AS {one}) AS value" for one in distinct)
    chosen = str(sql.rows(f"DESCRIBE {union}")[0][1])
    candidates = (chosen, "DOUBLE") if chosen == "FLOAT" else (chosen,)
    return next((wide for wide in candidates if all(_holds(wide, one) for one in distinct)), _TEXT)


def _holds(wide: str, narrow: str) -> bool:
    """Returns whether a type holds each value of another as it is; only of numbers and bytes this is doubted."""
    if wide in {narrow, _TEXT}:
        return True
    if "BLOB" in {wide, narrow}:
        return False
    digits, room = _digits(narrow), _digits(wide)
    if digits is None:
        return True
    if wide in _FLOAT_DIGITS:
        return sum(digits) <= _FLOAT_DIGITS[wide]
    return room is None or (digits[0] <= room[0] and digits[1] <= room[1])


def _digits(of_type: str) -> tuple[int, int] | None:
    """Returns how many digits an exact number has before and behind its point at most."""
    if found := _DECIMAL.fullmatch(of_type):
        precision, scale = map(int, found.groups())
        return precision - scale, scale
    return (_WHOLE_DIGITS[of_type], 0) if of_type in _WHOLE_DIGITS else None
