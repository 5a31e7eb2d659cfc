"""Writes names and values into Snowflake's SQL; nothing else puts a value into a statement."""

from __future__ import annotations

from datetime import UTC, datetime

from typing_extensions import override

from tasks.warehouses.quoting import Quoting, Scalar


class SnowflakeQuoting(Quoting):
    """Names in the case in which Snowflake keeps those that are not quoted; a backslash escapes, unlike elsewhere."""

    @override
    def identifier(self, name: str) -> str:
        return super().identifier(name.upper())

    @override
    def literal(self, value: Scalar) -> str:
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, datetime):
            return f"'{value.astimezone(UTC).isoformat(sep=' ')}'::TIMESTAMP_TZ"
        return super().literal(value.replace("\\", "\\\\") if isinstance(value, str) else value)


SNOWFLAKE = SnowflakeQuoting()
identifier = SNOWFLAKE.identifier
identifiers = SNOWFLAKE.identifiers
table_name = SNOWFLAKE.table_name
literal = SNOWFLAKE.literal
literals = SNOWFLAKE.literals
