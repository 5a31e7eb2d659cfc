"""Reads staged CSV files by position, with the dialect that staging found.

A survey counts the lines of each file first (a tenth of the load's time). A file whose records are lines, as almost all
are, is read by several threads. One with line breaks inside quotes is read by one thread, and its records are counted
without DuckDB (`csv_records`) before the commit.

DuckDB 2.0, found by comparing random files with Python's reading of them: `new_line` is never passed, because with it
whole files are read as no rows; the line end that it finds by itself is right where the first break of the file ends a
record. Where it does not (a header with a line break inside quotes, or no header), the file gets a plain header first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

from penstock.artifacts import Compression, CsvDialect, StagedFile
from penstock.errors import DataError
from tasks.warehouses.duckdb.connection import Sql
from tasks.warehouses.duckdb.csv_records import RecordCount, count_by_parity, count_exactly
from tasks.warehouses.duckdb.plain_header import with_plain_header
from tasks.warehouses.duckdb.reading import (
    MAXIMUM_LINE_BYTES,
    REJECT_ERRORS,
    REJECT_SCANS,
    TEXT,
    Column,
    Reading,
    RowRange,
    named_by_file,
    path_list,
)
from tasks.warehouses.duckdb.staged_paths import StagedPaths
from tasks.warehouses.quoting import identifier, literal, literals

# A character that text does not hold: a line that does is surveyed as if it had line breaks inside quotes.
_NO_DELIMITER = "\x01"
_BREAK = re.compile(r"[\r\n]")


class _Survey(NamedTuple):
    """A file's lines, and those that are not blank; `is_plain` where no line break stands inside quotes."""

    lines: int
    filled: int
    is_plain: bool


def read_csv_files(sql: Sql, files: Sequence[StagedFile], paths: StagedPaths, rejects_limit: int) -> list[Reading]:
    """Returns the queries that read CSV files.

    Args:
        sql: The open warehouse, which surveys the files.
        files: Files of one layout (`layout`), in the batch's order.
        paths: Where they are.
        rejects_limit: How many rejected rows DuckDB keeps for each file.

    Raises:
        DataError: a file has data but no columns.
    """
    if not files[0].columns:
        raise DataError(
            "a staged CSV file has data but no columns",
            guidance="Stage the batch again: staging reads the header.",
            key=files[0].key,
        )
    surveys = _survey(sql, files, paths)
    runs = groupby(zip(files, surveys, strict=True), key=lambda pair: pair[1].is_plain)
    readings: list[Reading] = []
    for is_plain, pairs in runs:
        if is_plain:
            readings.append(_read_plain(list(pairs), paths, rejects_limit))
        else:
            readings += [_read_quoted(file, paths, rejects_limit) for file, _ in pairs]
    return readings


def layout(file: StagedFile) -> tuple[object, ...]:
    """Returns what files share that one reader can read together."""
    return file.format, file.compression, file.dialect, file.header_rows, file.columns


def dialect_of(file: StagedFile) -> CsvDialect:
    """Returns how a file is written."""
    return file.dialect or CsvDialect()


def has_plain_header(file: StagedFile) -> bool:
    """Returns whether a file with line breaks inside quotes is read under a plain header instead of its own.

    So is every UTF-16 file that DuckDB could not survey: the copy is UTF-8, and DuckDB 2.0 stops at characters beyond
    the basic plane in UTF-16.
    """
    if file.header_rows == 0 or dialect_of(file).encoding == "utf-16":
        return True
    return any(_BREAK.search(column.source_name) for column in file.columns or ())


def count_rows(file: StagedFile, paths: StagedPaths) -> RowRange:
    """Counts the rows of a file without DuckDB, fast; wrong where quotes stand inside unquoted values."""
    with paths.open(file) as stream:
        return _rows_of(count_by_parity(stream, dialect_of(file)), file, _header_records(file, paths))


def count_rows_exactly(file: StagedFile, paths: StagedPaths) -> RowRange:
    """Counts the rows of a file without DuckDB.

    Raises:
        DataError: the records end in several ways, which DuckDB reads wrongly.
    """
    with paths.open(file) as stream:
        count = count_exactly(stream, dialect_of(file))
    if len(count.line_ends) > 1:
        raise DataError(
            "the file's records end in several ways",
            guidance="Have it delivered with one kind of line end; only quoted values may hold others.",
            key=file.key,
            found=", ".join(sorted(ascii(end.decode()) for end in count.line_ends)),
        )
    return _rows_of(count, file, _header_records(file, paths))


def line_reader(paths: Sequence[str], compression: Compression, encoding: str, options: str) -> str:
    """Returns a relation of a text file's lines, in the column `line`; blank ones are NULL."""
    return (
        f"read_csv({path_list(paths)}, auto_detect=false, header=false, delim={literal(_NO_DELIMITER)}, quote='', "
        f"escape='', columns={{'line': 'VARCHAR'}}, compression={literal(compression)}, encoding={literal(encoding)}, "
        f"max_line_size={MAXIMUM_LINE_BYTES}, buffer_size={MAXIMUM_LINE_BYTES}, hive_partitioning=false{options})"
    )


def _survey(sql: Sql, files: Sequence[StagedFile], paths: StagedPaths) -> list[_Survey]:
    import duckdb

    by_path: dict[str, _Survey] = {}
    try:
        for path, lines, filled, odd in sql.rows(_survey_query(files, paths)):
            by_path[path] = _Survey(lines, filled, is_plain=not odd)
    except duckdb.Error:
        # Its lines do not end alike, or are no text: the exact reading tells which.
        if len(files) > 1:
            return [survey for file in files for survey in _survey(sql, [file], paths)]
        return [_Survey(0, 0, is_plain=False)]
    return [by_path.get(paths.of(file), _Survey(0, 0, is_plain=True)) for file in files]


def _survey_query(files: Sequence[StagedFile], paths: StagedPaths) -> str:
    dialect = dialect_of(files[0])
    lines = line_reader([paths.of(file) for file in files], files[0].compression, dialect.encoding, "")
    quote = literal(dialect.quote)
    quotes = f"(strlen(line) - strlen(replace(line, {quote}, ''))) // strlen({quote})"
    odd = f"count(*) FILTER ({quotes} % 2 = 1)" if dialect.quote else "0"
    return f"SELECT filename, count(*), count(line), {odd} FROM {lines} GROUP BY filename"


def _read_plain(pairs: Sequence[tuple[StagedFile, _Survey]], paths: StagedPaths, rejects_limit: int) -> Reading:
    files = tuple(file for file, _ in pairs)
    file_paths = tuple(paths.of(file) for file in files)
    relation = _reader(files[0], file_paths, dialect_of(files[0]), rejects_limit, is_parallel=True)
    expected = RowRange(0, 0)
    for file, survey in pairs:
        count = RecordCount(survey.filled, survey.lines - survey.filled)
        expected = expected.plus(_rows_of(count, file, _filled_header_lines(file, paths)))
    return Reading(files, file_paths, _columns(files[0]), *named_by_file(relation, files, file_paths), expected)


def _read_quoted(file: StagedFile, paths: StagedPaths, rejects_limit: int) -> Reading:
    path, dialect, plain = paths.of(file), dialect_of(file), file
    if has_plain_header(file):
        path = str(paths.new())
        dialect = _copy_plainly(file, path, paths)
        plain = file.model_copy(update={"header_rows": 1, "compression": Compression.NONE})
    relation = _reader(plain, [path], dialect, rejects_limit, is_parallel=False)
    return Reading((file,), (path,), _columns(file), *named_by_file(relation, [file], [path]), expected=None)


def _copy_plainly(file: StagedFile, path: str, paths: StagedPaths) -> CsvDialect:
    try:
        with paths.open(file) as source:
            return with_plain_header(source, path, dialect_of(file), file)
    except UnicodeDecodeError as error:
        raise DataError(
            "the file is not in the encoding it should be in",
            guidance="Have it delivered whole, or as UTF-8.",
            key=file.key,
            source_name=file.source_name,
            encoding=dialect_of(file).encoding,
        ) from error


def _reader(
    file: StagedFile, paths: Sequence[str], dialect: CsvDialect, rejects_limit: int, *, is_parallel: bool
) -> str:
    columns = ", ".join(f"{literal(f'c{number}')}: 'VARCHAR'" for number in range(len(file.columns or ())))
    header = f"header=true, skip={file.header_rows - 1}" if file.header_rows else "header=false"
    return (
        f"read_csv({path_list(paths)}, auto_detect=false, {header}, delim={literal(dialect.delimiter)}, "
        f"quote={literal(dialect.quote)}, escape={literal(dialect.escape if dialect.quote else '')}, "
        f"nullstr=[{literals(['', *dialect.null_texts])}], allow_quoted_nulls=false, columns={{{columns}}}, "
        f"compression={literal(file.compression)}, encoding={literal(dialect.encoding)}, strict_mode=true, "
        f"null_padding=false, parallel={literal(is_parallel)}, hive_partitioning=false, "
        f"max_line_size={MAXIMUM_LINE_BYTES}, buffer_size={MAXIMUM_LINE_BYTES}, "
        f"{rejects_options(rejects_limit)})"
    )


def rejects_options(limit: int) -> str:
    """Returns the options that make a reader keep the rows it cannot read."""
    return (
        f"store_rejects=true, rejects_table={literal(REJECT_ERRORS)}, rejects_scan={literal(REJECT_SCANS)}, "
        f"rejects_limit={limit}"
    )


def _columns(file: StagedFile) -> tuple[Column, ...]:
    return tuple(
        Column(column.name, TEXT, f"r.{identifier(f'c{number}')}") for number, column in enumerate(file.columns or ())
    )


def _rows_of(count: RecordCount, file: StagedFile, header_records: int) -> RowRange:
    minimum = max(count.records - header_records, 0)
    is_single = len(file.columns or ()) == 1
    return RowRange(minimum, minimum + count.blank if is_single else minimum)


def _header_records(file: StagedFile, paths: StagedPaths) -> int:
    """Returns how many records that are not blank stand above the data; a header's own line breaks part none."""
    return _filled_header_lines(file, paths) if dialect_of(file).skip_rows else min(file.header_rows, 1)


def _filled_header_lines(file: StagedFile, paths: StagedPaths) -> int:
    """Returns how many of the skipped lines are not blank: the header, and what may stand above it."""
    if file.header_rows <= 1 and not dialect_of(file).skip_rows:
        return file.header_rows
    with paths.open(file) as stream:
        return sum(1 for line in islice(_text_lines(stream.read(MAXIMUM_LINE_BYTES), file), file.header_rows) if line)


def _text_lines(data: bytes, file: StagedFile) -> Iterator[str]:
    yield from re.split(r"\r\n|\r|\n", data.decode(dialect_of(file).encoding, errors="replace").lstrip("\ufeff"))
