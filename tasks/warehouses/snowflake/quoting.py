"""Writes names and values into Snowflake's SQL; nothing else puts a value into a statement."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from penstock.artifacts import TableRef

Scalar = str | int | float | bool | datetime | None


def identifier(name: str) -> str:
    """Returns a name as an identifier, in the case in which Snowflake keeps names that are not quoted."""
    return '"' + name.upper().replace('"', '""') + '"'


def identifiers(names: Iterable[str], prefix: str = "") -> str:
    """Returns names as a comma-separated list, each behind `prefix` (an alias with its dot)."""
    return ", ".join(prefix + identifier(name) for name in names)


def table_name(table: TableRef) -> str:
    """Returns a table's full name."""
    return f"{identifier(table.schema_name)}.{identifier(table.name)}"


def literal(value: Scalar) -> str:
    """Returns a value as an SQL literal; an aware time as an instant in UTC. A backslash escapes, unlike elsewhere."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return f"'{value.astimezone(UTC).isoformat(sep=' ')}'::TIMESTAMP_TZ"
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def literals(values: Iterable[Scalar]) -> str:
    """Returns values as a comma-separated list."""
    return ", ".join(literal(value) for value in values)
