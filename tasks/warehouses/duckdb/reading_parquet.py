"""Reads staged Parquet files by column name, as text or with their own types.

As text, an instant is ISO 8601 in UTC, whatever the session's zone; a nested value is JSON; anything else is what
DuckDB writes for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from penstock.artifacts import FileFormat, StagedFile
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.reading import TEXT, Column, Reading, RowRange, named_by_file, path_list
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.quoting import identifier, literal

# A name of its own: the files may have a column `filename`.
_PATH_COLUMN = "penstock_path"
_SCHEMAS = """
SELECT file_name, CAST(list(
    (name, num_children, type, converted_type, logical_type, precision, scale) ORDER BY column_id
) AS VARCHAR) FROM parquet_schema({}) GROUP BY file_name
"""
_NESTED = ("STRUCT", "MAP", "UNION")
_MANY_ROWS = 100_000
_NARROW_BYTES = 512
_COLUMN_BYTES = 8
"""What a value takes in memory beside its text; files may keep it in less than a byte."""


def read_parquet_files(sql: Sql, files: Sequence[StagedFile], paths: StagedPaths, *, typed: bool) -> list[Reading]:
    """Returns the queries that read Parquet files of one layout, in order; files whose types differ are read apart.

    Together DuckDB would give them one type, and a number that stands beside a float loses digits.

    Args:
        sql: The open warehouse, which reads the footers.
        files: The files, in the batch's order.
        paths: Where they are.
        typed: Whether columns keep the file's types; otherwise they become text, nested ones JSON text.
    """
    schemas = dict(sql.rows(_SCHEMAS.format(path_list([paths.of(file) for file in files]))))
    alike = groupby(files, key=lambda file: schemas[paths.of(file)])
    return [_read_alike(sql, list(some), paths, typed=typed) for _, some in alike]


def _read_alike(sql: Sql, files: Sequence[StagedFile], paths: StagedPaths, *, typed: bool) -> Reading:
    file_paths = tuple(paths.of(file) for file in files)
    # Folders that look like Hive's partitions may be anybody's, and would take the place of columns of their names.
    reader = f"read_parquet({path_list(file_paths)}, hive_partitioning=false, filename={literal(_PATH_COLUMN)})"
    # DuckDB numbers names that differ in nothing but case; the path's column is the last.
    *described, _ = ((row[0], row[1]) for row in sql.rows(f"DESCRIBE SELECT * FROM {reader}"))
    columns = [
        Column(column.name, of_type if typed else TEXT, _expression(name, of_type, typed))
        for column, (name, of_type) in zip(files[0].columns or (), described, strict=True)
    ]
    row_count = sql.count(f"SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata({path_list(file_paths)})")
    return Reading(
        tuple(files),
        file_paths,
        tuple(columns),
        *named_by_file(reader, files, file_paths, path_column=_PATH_COLUMN),
        RowRange(row_count, row_count),
    )


def has_narrow_rows(sql: Sql, paths: Sequence[str]) -> bool:
    """Returns whether Parquet files have so few columns, and so short texts, that little memory holds many rows."""
    found = sql.rows(
        f"SELECT sum(total_uncompressed_size), count(DISTINCT path_in_schema) FROM parquet_metadata({path_list(paths)})"
    )
    size, column_count = found[0]
    row_count = sql.count(f"SELECT sum(num_rows) FROM parquet_file_metadata({path_list(paths)})")
    return bool(size and size + _COLUMN_BYTES * column_count * row_count <= _NARROW_BYTES * row_count)


def varied_texts(sql: Sql, readings: Sequence[Reading]) -> set[str]:
    """Returns the text columns whose values hardly repeat: no Parquet file of many rows has a dictionary for them.

    Few rows tell nothing, nor do files of other formats.
    """
    varied: set[str] = set()
    for reading in readings:
        first = reading.files[0]
        if first.format is not FileFormat.PARQUET or not reading.expected or reading.expected.maximum < _MANY_ROWS:
            continue
        found = sql.rows(
            f"SELECT path_in_schema FROM parquet_metadata({path_list(reading.paths)}) GROUP BY path_in_schema"
            " HAVING bool_and(type = 'BYTE_ARRAY' AND NOT contains(encodings, 'DICTIONARY'))"
        )
        sources = {row[0] for row in found}
        texts = {column.name for column in reading.columns if column.type == TEXT}
        varied |= {column.name for column in first.columns or () if column.source_name in sources} & texts
    return varied


def _expression(name: str, of_type: str, typed: bool) -> str:
    column = f"r.{identifier(name)}"
    if typed or of_type == TEXT:
        return column
    if of_type == "TIMESTAMP WITH TIME ZONE":
        return f"strftime(timezone('UTC', {column}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    if of_type.endswith("]") or of_type.startswith(_NESTED):
        return f"CAST(to_json({column}) AS VARCHAR)"
    return f"CAST({column} AS VARCHAR)"
