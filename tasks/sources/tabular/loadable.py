"""What a conversion gives: files that a warehouse can COPY, in blocks of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from penstock.artifacts import Compression, CsvDialect, FileFormat

BLOCK_BYTES = 1 << 20

PLAIN_CSV = CsvDialect(new_line="\n")
"""How converted tables are written: each value in quotes, so that an empty text is told from NULL."""


class Block(NamedTuple):
    """Some of a file's bytes, and the whole rows they hold; None where nobody counted them."""

    data: bytes
    row_count: int | None


class Loadable(NamedTuple):
    """One file that a warehouse can COPY. Its blocks have to be read before the next file is asked for.

    Attributes:
        name: How to call it: the converted file's own name, with the member's or the sheet's where it has several.
        part: The member or sheet it was made from; None for all of the file.
        compression: How to write it; bytes that are passed on as they are may have one of their own.
    """

    name: str
    part: str | None
    format: FileFormat
    dialect: CsvDialect | None
    compression: Compression
    blocks: Iterator[Block]


def csv_blocks(header: Sequence[str], rows: Iterable[Sequence[str | None]]) -> Iterator[Block]:
    """Yields a header and rows as CSV (`PLAIN_CSV`); None is NULL."""
    lines, size, count = [_csv_line(header)], 0, 0
    for row in rows:
        line = _csv_line(row)
        lines.append(line)
        size += len(line)
        count += 1
        if size >= BLOCK_BYTES:
            yield Block("".join(lines).encode(), count)
            lines, size, count = [], 0, 0
    if lines:
        yield Block("".join(lines).encode(), count)


def _csv_line(values: Sequence[str | None]) -> str:
    return ",".join(['"' + value.replace('"', '""') + '"' if value is not None else "" for value in values]) + "\n"
