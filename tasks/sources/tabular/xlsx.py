"""Reads a workbook (XLSX) sheet by sheet, row by row.

openpyxl and not python-calamine, although that one is fifteen times as fast (200,000 rows of ten columns: 3.7 s and
55 s): calamine 0.9 holds a whole sheet in memory (160 MB for those, 56 MB in openpyxl, most of it the program), gives
whole numbers as floats, empty cells as empty texts, and no number formats, without which `01234` is 1234.
"""

from __future__ import annotations

import re
import zipfile
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any, BinaryIO

from penstock.artifacts import Compression, FileFormat
from penstock.errors import ConfigurationError, DataError
from penstock.sources.tabular import SheetSpec
from tasks.sources.tabular.cell_text import cell_text
from tasks.sources.tabular.loadable import PLAIN_CSV, Loadable, csv_blocks

_COMPOUND_FILE = bytes.fromhex("D0CF11E0A1B11AE1")
_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 1 << 16
# A formula without the value that it had when the workbook was saved; an empty text is one (`t="str"`).
_UNCALCULATED = re.compile(
    rb'<(?:\w+:)?c\b(?![^>]*\st="str")[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


def read_workbook(file: BinaryIO, name: str, spec: SheetSpec) -> Iterator[Loadable]:
    """Yields the chosen sheets of a workbook as CSV.

    A row without any value is no row. Where cells are merged, the first of them has the value.

    Args:
        file: A workbook, from which any place can be read.
        name: Its name.
        spec: Which sheets, and where their tables are.

    Raises:
        ConfigurationError: there is no such sheet, or several and none is named.
        DataError: it is no workbook, is encrypted, or has formulas whose values were not saved.
    """
    with closing(_open(file, name)) as book:
        sheets = _choose(book, spec, name)
        for sheet in sheets:
            _check_calculated(book, sheet, name)
            rows = _table(_rows(sheet), spec)
            header = spec.columns or next(rows, None)
            part = sheet.title if spec.name is not None and len(sheets) > 1 else None
            yield Loadable(
                name=f"{name}.{part}.csv.gz" if part else f"{name}.csv.gz",
                part=part,
                format=FileFormat.CSV,
                dialect=PLAIN_CSV,
                compression=Compression.GZIP,
                blocks=csv_blocks([text or "" for text in header], _padded(rows, len(header))) if header else iter(()),
            )


def _open(file: BinaryIO, name: str) -> Any:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    is_compound = file.read(len(_COMPOUND_FILE)) == _COMPOUND_FILE
    file.seek(0)
    if is_compound:
        raise DataError(
            "the workbook is encrypted, or of Excel's old format (.xls)",
            guidance="Have it saved as .xlsx without a password.",
            source_name=name,
        )
    try:
        return load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, SyntaxError, EOFError) as error:
        raise DataError(
            "the file is no workbook that can be read",
            guidance="Open it in a spreadsheet program and save it as .xlsx; a cut-off upload looks like this.",
            source_name=name,
        ) from error


def _choose(book: Any, spec: SheetSpec, name: str) -> list[Any]:
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if spec.name is None:
        chosen = visible if len(visible) == 1 else []
    else:
        chosen = [sheet for sheet in book.worksheets if fnmatchcase(sheet.title, spec.name)]
    if chosen:
        return chosen
    raise ConfigurationError(
        "the workbook has several sheets" if spec.name is None else "the workbook has no such sheet",
        guidance="Name the sheet in the dataset's `sheet: {name: ...}`.",
        source_name=name,
        sheet=spec.name,
        found=", ".join(sheet.title for sheet in book.worksheets[:20]),
    )


def _rows(sheet: Any) -> Iterator[list[str | None]]:
    """Yields a sheet's rows as texts, without the empty cells at their ends; an empty row is an empty list."""
    from openpyxl.utils.escape import unescape

    sheet.reset_dimensions()  # some programs write a size that is too small, and openpyxl would believe it
    for cells in sheet.iter_rows():
        row = [None if cell.value is None else cell_text(cell.value, cell.number_format) for cell in cells]
        while row and row[-1] is None:
            row.pop()
        yield [unescape(text) if text and "_x" in text else text for text in row]


def _table(rows: Iterator[list[str | None]], spec: SheetSpec) -> Iterator[list[str | None]]:
    """Yields the rows of the table: header first, unless names are given; nothing above and below it, no empty one."""
    for _ in range(spec.skip_rows):
        next(rows, None)
    held: deque[list[str | None]] = deque()
    for row in rows:
        if row:
            held.append(row)
        if len(held) > spec.footer_rows:
            yield held.popleft()


def _padded(rows: Iterable[Sequence[str | None]], width: int) -> Iterator[Sequence[str | None]]:
    for row in rows:
        yield list(chain(row, [None] * (width - len(row)))) if len(row) < width else row


def _check_calculated(book: Any, sheet: Any, name: str) -> None:
    """Refuses formulas without a value: a program that does not calculate leaves it out, and it would be NULL."""
    # openpyxl has no public way to the part of the archive that holds a sheet (3.1).
    with book._archive.open(sheet._worksheet_path) as part:  # noqa: SLF001
        tail = b""
        while chunk := part.read(_CHUNK_BYTES):
            text = tail + chunk
            if _UNCALCULATED.search(text):
                raise DataError(
                    "the workbook has formulas whose values were not saved",
                    guidance="Have it saved by a program that calculates, or with values in place of formulas.",
                    source_name=name,
                    sheet=sheet.title,
                )
            tail = text[-_OVERLAP_BYTES:]
