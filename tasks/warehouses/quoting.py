"""Writes names and values into SQL text; nothing else puts a value into a statement."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from penstock.artifacts import TableRef

Scalar = str | int | float | bool | datetime | None


class Quoting:
    """Names and values as the standard writes them; a warehouse that differs has a kind of its own."""

    def identifier(self, name: str) -> str:
        """Returns a name as an SQL identifier."""
        return '"' + name.replace('"', '""') + '"'

    def literal(self, value: Scalar) -> str:
        """Returns a value as an SQL literal; an aware time as an instant in UTC."""
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return repr(value)
        if isinstance(value, datetime):
            return f"TIMESTAMPTZ '{value.astimezone(UTC).isoformat(sep=' ')}'"
        return "'" + value.replace("'", "''") + "'"

    def identifiers(self, names: Iterable[str], prefix: str = "") -> str:
        """Returns names as a comma-separated list, each behind `prefix` (an alias with its dot)."""
        return ", ".join(prefix + self.identifier(name) for name in names)

    def table_name(self, table: TableRef) -> str:
        """Returns a table's full name."""
        return f"{self.identifier(table.schema_name)}.{self.identifier(table.name)}"

    def literals(self, values: Iterable[Scalar]) -> str:
        """Returns values as a comma-separated list."""
        return ", ".join(self.literal(value) for value in values)


STANDARD = Quoting()
identifier = STANDARD.identifier
identifiers = STANDARD.identifiers
table_name = STANDARD.table_name
literal = STANDARD.literal
literals = STANDARD.literals
