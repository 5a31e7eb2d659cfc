"""Copies a CSV file under a header of plain names, so that DuckDB finds what ends its records."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from penstock.artifacts import CsvDialect, StagedFile
from tasks.warehouses.duckdb.csv_records import as_bytes, lines, records

_LAST_LINE_END = re.compile(rb"(?:\r\n|\r|\n)\Z")


def with_plain_header(source: BinaryIO, path: str, dialect: CsvDialect, file: StagedFile) -> CsvDialect:
    """Writes a file's data records behind a one-line header; returns the copy's dialect, UTF-8 for UTF-16.

    Args:
        source: The file's decompressed bytes.
        path: Where to write.
        dialect: How the file is written.
        file: Says how many records to leave out, and how many columns there are.
    """
    source_lines = lines(source, dialect)
    head = list(islice(records(source_lines, dialect), file.header_rows + 1))
    line_end = _LAST_LINE_END.search(head[0].raw) if head else None
    names = dialect.delimiter.join(f"c{number}" for number in range(len(file.columns or ())))
    with Path(path).open("wb") as copy:
        copy.write(as_bytes(names, dialect) + (line_end[0] if line_end else b"\n"))
        copy.writelines(record.raw for record in head[file.header_rows :])
        copy.writelines(source_lines)
    return dialect.model_copy(update={"encoding": "utf-8"}) if dialect.encoding == "utf-16" else dialect
