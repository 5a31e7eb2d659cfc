"""The target table: what it has, and what a load adds to it."""

from __future__ import annotations

from collections.abc import Mapping

from penstock.artifacts import TableRef
from penstock.errors import SchemaContractError
from tasks.warehouses.snowflake.quoting import identifier, literal, table_name
from tasks.warehouses.snowflake.session import Sql
from tasks.warehouses.tables import ColumnTypes, CountedTable

TEXT = "VARCHAR"
TYPES = ColumnTypes(text=TEXT, time="TIMESTAMP_TZ", boolean="BOOLEAN")


def describe(sql: Sql, ref: TableRef) -> CountedTable:
    """Returns what the warehouse has of a table."""
    schema, name = literal(ref.schema_name.upper()), literal(ref.name.upper())
    rows = sql.rows(
        "SELECT lower(column_name), data_type, numeric_precision, numeric_scale FROM information_schema.columns "
        f"WHERE table_schema = {schema} AND table_name = {name} ORDER BY ordinal_position"
    )
    types = {column: _type(kind, precision, scale) for column, kind, precision, scale in rows}
    row_count = sql.count(f"SELECT count(*) FROM {table_name(ref)}") if types else 0
    return CountedTable(ref, exists=bool(types), types=types, row_count=row_count)


def _type(kind: str, precision: int | None, scale: int | None) -> str:
    if kind == "TEXT":
        return TEXT
    return f"NUMBER({precision}, {scale or 0})" if kind == "NUMBER" and precision else kind


def prepare_statements(table: CountedTable, types: Mapping[str, str]) -> list[str]:
    """Returns the DDL that gives a table the columns it needs; each statement commits by itself and may run twice."""
    name = table_name(table.ref)
    if not table.exists:
        columns = ", ".join(f"{identifier(column)} {of_type}" for column, of_type in types.items())
        return [
            f"CREATE SCHEMA IF NOT EXISTS {identifier(table.ref.schema_name)}",
            f"CREATE TABLE IF NOT EXISTS {name} ({columns})",
        ]
    added = [
        f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {identifier(column)} {of_type}{_default(column)}"
        for column, of_type in types.items()
        if column not in table.types
    ]
    return added + [
        f"ALTER TABLE {name} ALTER COLUMN {identifier(column)} SET DATA TYPE {types[column]}"
        for column, of_type in table.types.items()
        if types[column] != of_type
    ]


def widened_types(table: CountedTable, incoming: Mapping[str, str]) -> dict[str, str]:
    """Returns the table's columns that cannot hold what comes, with the types that hold both.

    Raises:
        SchemaContractError: Snowflake has no type for both that a column can be altered to.
    """
    return {
        name: unified_type(name, table.types[name], of_type, table.ref)
        for name, of_type in incoming.items()
        if table.types.get(name, of_type) != of_type
        and unified_type(name, table.types[name], of_type, table.ref) != table.types[name]
    }


def unified_type(column: str, one: str, other: str, target: TableRef) -> str:
    """Returns the type that holds values of both: Snowflake widens only numbers, and only their precision."""
    if one == other:
        return one
    numbers = [_number(of_type) for of_type in (one, other)]
    if None not in numbers and numbers[0][1] == numbers[1][1]:  # type: ignore[index]
        return f"NUMBER({max(number[0] for number in numbers if number)}, {numbers[0][1]})"  # type: ignore[index]
    raise SchemaContractError(
        "the type of a column differs from that of the table, and Snowflake cannot widen it",
        guidance="Load the dataset as text, or into another `table`.",
        target=str(target),
        column=column,
        table_type=one,
        incoming_type=other,
    )


def _number(of_type: str) -> tuple[int, int] | None:
    if not of_type.startswith("NUMBER("):
        return None
    precision, scale = of_type.removeprefix("NUMBER(").removesuffix(")").split(",")
    return int(precision), int(scale)


def _default(column: str) -> str:
    """Returns the default of a column that is added; rows that no change has marked are not deleted."""
    return " DEFAULT FALSE" if column == "_is_deleted" else ""
