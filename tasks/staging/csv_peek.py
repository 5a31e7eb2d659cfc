"""Peeks into a CSV file: its dialect, its header, and how many rows a warehouse skips to reach the data."""

from __future__ import annotations

from typing import NamedTuple, cast

from penstock.artifacts import CsvDialect, NewLine, StagedColumn
from penstock.errors import DataError
from penstock.naming import standardise_columns
from tasks.staging.csv_dialect import CsvStart, find_start, read_start
from tasks.staging.csv_records import Record, split_records
from tasks.staging.prefix import Prefix
from tasks.staging.text_encoding import decode_start, has_mark

_SUPPORTED_BYTES = 32 * 1024
"""How far to look for a record that supports the dialect found, when the header alone is whole."""
_LINE_BREAKS = frozenset("\r\n")


class CsvHeader(NamedTuple):
    """What a warehouse needs to load a CSV file.

    Attributes:
        dialect: How it is written, with what ends its records.
        header_rows: Records to skip, each blank line before the header counted as one; a quoted line break in the
            header makes no second row (DuckDB's `skip` counts like this, and respects quotes).
        columns: Its columns by position.
    """

    dialect: CsvDialect
    header_rows: int
    columns: tuple[StagedColumn, ...]


def peek_csv(prefix: Prefix, dialect: CsvDialect | None) -> CsvHeader | None:
    """Reads a CSV file's header, growing the prefix until it is whole; None where the file has no header and no data.

    Args:
        prefix: The file's first bytes.
        dialect: How the file is written, where that is known; found from the header and some records otherwise.

    Raises:
        DataError: the file is not in its encoding, its header does not end, a header's quote is followed by more than
            a delimiter, or its records end in several ways.
    """
    start = _read(prefix, dialect)
    while not prefix.at_end and not _is_enough(start, len(prefix.data)):
        prefix.grow()
        start = _read(prefix, dialect)
    header = start.header
    if header is None:
        return None
    _check_skipped(start, prefix.key)
    names = start.dialect.columns
    if names is None:
        _check_header(header, start, prefix)
    else:
        _check_names(names, header, prefix.key)
    return CsvHeader(
        dialect=start.dialect.model_copy(update={"new_line": _new_line(start, prefix.key)}),
        header_rows=start.blank_rows + 1 if names is None else start.dialect.skip_rows,
        columns=standardise_columns(header.fields if names is None else names),
    )


def _check_skipped(start: CsvStart, key: str) -> None:
    if not start.is_skipped_whole:
        raise DataError(
            "the lines above the file's header hold a quote that is not closed",
            guidance="Have it delivered without them, or set the dialect's `quote` to what the file quotes with.",
            key=key,
            skip_rows=start.dialect.skip_rows,
        )


def _check_names(names: tuple[str, ...], first: Record, key: str) -> None:
    if len(first.fields) != len(names):
        raise DataError(
            "the file has another number of columns than the dialect names",
            guidance="Correct `columns` in the dataset's dialect, or its `delimiter`.",
            key=key,
            named=len(names),
            found=len(first.fields),
        )


def _read(prefix: Prefix, dialect: CsvDialect | None) -> CsvStart:
    declared = dialect.encoding if dialect else None
    text, encoding = decode_start(prefix.data, declared, key=prefix.key, at_end=prefix.at_end)
    if dialect is None:
        return find_start(text, encoding, at_end=prefix.at_end)
    return read_start(text, dialect.model_copy(update={"encoding": encoding}), at_end=prefix.at_end)


def _is_enough(start: CsvStart, size_bytes: int) -> bool:
    if start.is_conclusive:
        return True
    return size_bytes >= _SUPPORTED_BYTES and start.header is not None and start.header.is_whole


def _check_header(header: Record, start: CsvStart, prefix: Prefix) -> None:
    if not header.is_well_formed or not header.is_whole:
        raise DataError(
            "the file's header has a quote that is not closed, or text behind one that is",
            guidance="Name the delimiter, quote and escape in the dataset's dialect.",
            key=prefix.key,
            delimiter=start.dialect.delimiter,
        )
    if any("\0" in name for name in header.fields):
        raise DataError(
            "the file's header holds NUL characters",
            guidance="If the file is UTF-16 without a byte order mark, say so in the dataset's dialect.",
            key=prefix.key,
        )
    if has_mark(prefix.data) and start.blank_rows == 0 and not _ends_alike_behind_mark(header, start.dialect):
        raise DataError(
            "the file's first column name holds a delimiter behind a byte order mark",
            guidance="Have it delivered without the mark, or with a plain first name.",
            key=prefix.key,
        )


def _ends_alike_behind_mark(header: Record, dialect: CsvDialect) -> bool:
    """Returns whether a reader that misses a quote right behind a byte order mark still finds the header's end.

    DuckDB 2.0 is such a reader while it skips, and then reads wrong rows, or none. A header with line breaks in its
    names is not its concern: its warehouse loads such a file from a copy with a plain header.
    """
    if any(_LINE_BREAKS & set(name) for name in header.fields):
        return True
    as_skipped = next(split_records("\ufeff" + header.raw, dialect, at_end=True))
    return as_skipped.is_well_formed and len(as_skipped.raw) == len(header.raw) + 1


def _new_line(start: CsvStart, key: str) -> NewLine:
    """Returns what ends the records; several ways would let DuckDB 2.0 miscount the rows it skips, or read none."""
    if len(start.new_lines) > 1:
        raise DataError(
            "the file's records end in several ways",
            guidance="Have it delivered with one kind of line end; only quoted values may hold others.",
            key=key,
            found=", ".join(ascii(new_line) for new_line in sorted(start.new_lines)),
        )
    return cast("NewLine", next(iter(start.new_lines), "\n"))
