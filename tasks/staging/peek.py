"""Peeks into a staged file: what a warehouse needs to COPY it, from a few kilobytes of it."""

from __future__ import annotations

from typing import NamedTuple

from penstock.artifacts import Compression, CsvDialect, FileFormat, StagedColumn
from tasks.staging.contract import ObjectInfo, ObjectStore
from tasks.staging.csv_peek import peek_csv
from tasks.staging.jsonl_peek import peek_jsonl
from tasks.staging.parquet_peek import peek_parquet
from tasks.staging.prefix import Prefix


class Peek(NamedTuple):
    """What the first bytes of a file (or the last ones of a Parquet file) say.

    Attributes:
        compression: By the file's own first bytes.
        columns: By position for CSV, by name for Parquet; None for JSON lines and for an empty file.
        dialect: How a CSV file is written.
        header_rows: Records to skip before a CSV file's data.
        row_count: Where the file says it.
        is_empty: No byte of data: no bytes at all, a byte order mark, or blank lines.
        bytes_read: How many bytes were read from the store.
    """

    compression: Compression
    columns: tuple[StagedColumn, ...] | None = None
    dialect: CsvDialect | None = None
    header_rows: int = 0
    row_count: int | None = None
    is_empty: bool = False
    bytes_read: int = 0


def peek(store: ObjectStore, info: ObjectInfo, *, format: FileFormat, dialect: CsvDialect | None = None) -> Peek:
    """Peeks into one object.

    Args:
        store: Where it is.
        info: The object, as the store lists it.
        format: What the file is said to hold.
        dialect: How a CSV file is written, where that is known; a byte order mark overrules its encoding.

    Raises:
        DataError: the file is not what it is said to be, or no warehouse could load it.
    """
    match format:
        case FileFormat.PARQUET:
            return _peek_parquet(store, info)
        case FileFormat.JSONL:
            prefix = Prefix(store, info.key)
            holds_data = peek_jsonl(prefix)
            return Peek(prefix.compression, is_empty=not holds_data, bytes_read=prefix.bytes_read)
        case FileFormat.CSV:
            return _peek_csv(store, info, dialect)


def _peek_parquet(store: ObjectStore, info: ObjectInfo) -> Peek:
    footer = peek_parquet(store, info.key, info.size_bytes)
    return Peek(Compression.NONE, columns=footer.columns, row_count=footer.row_count, bytes_read=footer.bytes_read)


def _peek_csv(store: ObjectStore, info: ObjectInfo, dialect: CsvDialect | None) -> Peek:
    prefix = Prefix(store, info.key)
    header = peek_csv(prefix, dialect)
    if header is None:
        return Peek(prefix.compression, dialect=dialect, is_empty=True, bytes_read=prefix.bytes_read)
    return Peek(
        prefix.compression,
        columns=header.columns,
        dialect=header.dialect,
        header_rows=header.header_rows,
        bytes_read=prefix.bytes_read,
    )
