"""The types of MySQL and MariaDB: how each is written as text, and what that text becomes.

TIME is text: it counts up to 838 hours and may be negative. So are JSON, enums, sets, UUIDs, addresses, geometries
(WKT) and decimals of more than 38 digits. A BIT(1) is a boolean, a wider one a number.
"""

from __future__ import annotations

from typing import Any

from penstock.sources.sql import SOURCE_DELETED, SqlDataset
from tasks.sources.sql.columns import HEX, ReadColumn, Table, TableColumn, chosen_columns, unreadable
from tasks.sources.sql.mysql_fields import TOO_LONG
from tasks.sources.sql.mysql_quoting import quoted

_MOST_DIGITS, _MOST_DIGITS_OF_64_BITS = 38, 18
_TEXTS = frozenset(
    {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json", "enum", "set", "time"}
    | {"uuid", "inet4", "inet6"}
)
_BINARIES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"})
_GEOMETRIES = frozenset(
    {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"}
    | {"geometrycollection", "geomcollection"}
)
TIMES = frozenset({"date", "datetime", "timestamp"})
INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
NUMBERS = INTEGERS | {"decimal", "float", "double", "bit", "year"}


def read_columns(table: Table, dataset: SqlDataset) -> tuple[ReadColumn, ...]:
    """Returns how a dataset's columns are read; each expression's text is a field.

    Raises:
        ConfigurationError: the dataset names a column that is not there, or one has a type that is not known.
    """
    read = [_read(table, column, dataset) for column in chosen_columns(table, dataset)]
    if dataset.delete_marker:
        read.append(_marker(table.column(dataset.delete_marker, "delete_marker")))
    return tuple(read)


def _read(table: Table, column: TableColumn, dataset: SqlDataset) -> ReadColumn:
    from pyarrow import lib as pa

    name = quoted(column.name)
    if column.name in dataset.as_text:
        return _field(column, _as_text(column), pa.string())
    if column.type in _TEXTS:
        return _field(column, name, pa.string())
    if column.type in _GEOMETRIES:
        return _field(column, f"ST_AsText({name})", pa.string())
    if column.type in _BINARIES:
        # A HEX of more than max_allowed_packet is NULL, with a warning that nobody reads.
        return _field(column, f"IFNULL(HEX({name}), IF({name} IS NULL, NULL, '{TOO_LONG}'))", pa.binary(), HEX)
    if column.type in TIMES:
        return _time(column, dataset)
    arrow_type = _number_type(column)
    if arrow_type is None:
        raise unreadable(table, column)
    # As a double, a float is written with all of its digits; a bit and a year are written as numbers.
    exact = {"float": f"CAST({name} AS DOUBLE)", "bit": f"{name} + 0", "year": f"{name} + 0"}
    return _field(column, exact.get(column.type, name), arrow_type)


def _as_text(column: TableColumn) -> str:
    name = quoted(column.name)
    if column.type in _BINARIES:
        # Converted, bytes that are no UTF-8 would become question marks.
        return name
    if column.type in _GEOMETRIES:
        return f"ST_AsText({name})"
    return f"CONVERT({name}{' + 0' if column.type == 'bit' else ''} USING utf8mb4)"


def _time(column: TableColumn, dataset: SqlDataset) -> ReadColumn:
    from pyarrow import lib as pa

    name = quoted(column.name)
    value = f"CONCAT({name}, 'Z')" if column.type == "timestamp" else name
    if dataset.unfit_times == "null":
        value = f"IF(YEAR({name}) = 0 OR MONTH({name}) = 0 OR DAYOFMONTH({name}) = 0, NULL, {value})"
        column = column._replace(nullable=True)
    types = {"date": pa.date32(), "datetime": pa.timestamp("us"), "timestamp": pa.timestamp("us", "UTC")}
    return _field(column, value, types[column.type])


def _number_type(column: TableColumn) -> Any:
    from pyarrow import lib as pa

    if column.type == "decimal":
        precision, scale = column.precision or 0, column.scale or 0
        if precision > _MOST_DIGITS:
            return pa.string()
        return (pa.decimal64 if precision <= _MOST_DIGITS_OF_64_BITS else pa.decimal128)(precision, scale)
    if column.type == "bit":
        return pa.bool_() if column.precision == 1 else pa.uint64()
    signed = {
        "tinyint": pa.int8(),
        "smallint": pa.int16(),
        "mediumint": pa.int32(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "year": pa.int16(),
        "float": pa.float32(),
        "double": pa.float64(),
    }
    unsigned = {
        "tinyint": pa.uint8(),
        "smallint": pa.uint16(),
        "mediumint": pa.uint32(),
        "int": pa.uint32(),
        "bigint": pa.uint64(),
    }
    return (unsigned.get(column.type) if column.unsigned else None) or signed.get(column.type)


def _marker(column: TableColumn) -> ReadColumn:
    from pyarrow import lib as pa

    name = quoted(column.name)
    is_deleted = f"COALESCE({name} <> 0, 0)" if column.type in NUMBERS else f"{name} IS NOT NULL"
    return ReadColumn(SOURCE_DELETED, f"IF({is_deleted}, '1', '0')", pa.bool_(), nullable=False)


def _field(column: TableColumn, value: str, arrow_type: Any, decoding: str = "") -> ReadColumn:
    return ReadColumn(column.name, value, arrow_type, decoding, column.nullable)
