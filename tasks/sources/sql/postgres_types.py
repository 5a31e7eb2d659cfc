"""PostgreSQL's types: how each is written as text, and what the text becomes.

What is not named here is text, as the type's output function writes it: intervals (ISO 8601), inet, ranges, enums,
uuid, bit strings, money, times with a zone. So are numerics without a fixed number of digits, or with more than 38.
"""

from __future__ import annotations

from typing import Any

from penstock.sources.sql import SOURCE_DELETED, SqlDataset
from tasks.sources.sql.columns import HEX, ReadColumn, Table, TableColumn, chosen_columns
from tasks.warehouses.quoting import identifier

_MOST_DIGITS = 38
_FIRST, _LAST = "0001-01-01", "9999-12-31"
TIMES = frozenset({"date", "timestamp without time zone", "timestamp with time zone"})
INTEGERS = frozenset({"smallint", "integer", "bigint"})
NUMBERS = INTEGERS | {"numeric", "real", "double precision"}


def read_columns(table: Table, dataset: SqlDataset) -> tuple[ReadColumn, ...]:
    """Returns how a dataset's columns are read.

    Raises:
        ConfigurationError: the dataset names a column that is not there.
    """
    read = [_read(column, dataset) for column in chosen_columns(table, dataset)]
    if dataset.delete_marker:
        read.append(_marker(table.column(dataset.delete_marker, "delete_marker")))
    return tuple(read)


def _read(column: TableColumn, dataset: SqlDataset) -> ReadColumn:
    from pyarrow import lib as pa

    name = identifier(column.name)
    if column.name in dataset.as_text:
        return ReadColumn(column.name, f"{name}::text", pa.string(), nullable=column.nullable)
    if column.sort in {"array", "composite"}:
        return ReadColumn(column.name, f"to_json({name})::text", pa.string(), nullable=column.nullable)
    if column.type == "bytea":
        return ReadColumn(column.name, f"encode({name}, 'hex')", pa.binary(), HEX, nullable=column.nullable)
    if column.type in TIMES and dataset.unfit_times == "null":
        fits = f"{name} >= '{_FIRST}' AND {name} < '{_LAST}'::{column.type} + interval '1 day'"
        return ReadColumn(column.name, f"CASE WHEN {fits} THEN {name} END", _arrow_type(column))
    return ReadColumn(column.name, name, _arrow_type(column), nullable=column.nullable)


def _arrow_type(column: TableColumn) -> Any:
    from pyarrow import lib as pa

    if column.type == "numeric":
        precision, scale = column.precision or 0, column.scale or 0
        fits = 0 < precision <= _MOST_DIGITS and 0 <= scale <= precision
        return pa.decimal128(precision, scale) if fits else pa.string()
    types = {
        "boolean": pa.bool_(),
        "smallint": pa.int16(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
        "oid": pa.int64(),
        "real": pa.float32(),
        "double precision": pa.float64(),
        "date": pa.date32(),
        "timestamp without time zone": pa.timestamp("us"),
        "timestamp with time zone": pa.timestamp("us", "UTC"),
        "time without time zone": pa.time64("us"),
    }
    return types.get(column.type, pa.string())


def _marker(column: TableColumn) -> ReadColumn:
    from pyarrow import lib as pa

    name = identifier(column.name)
    if column.type == "boolean":
        expression = f"COALESCE({name}, false)"
    elif column.type in NUMBERS:
        expression = f"COALESCE({name} <> 0, false)"
    else:
        expression = f"{name} IS NOT NULL"
    return ReadColumn(SOURCE_DELETED, expression, pa.bool_(), nullable=False)
