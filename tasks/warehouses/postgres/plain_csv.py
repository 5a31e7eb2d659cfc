r"""Files that PostgreSQL's own CSV reader takes as they are, checked while their bytes pass.

PostgreSQL 15 is lenient where Penstock is not: it takes any quote for one that opens or closes a value, so that a
stray one (`5" pipe`) swallows what comes until the next, and it ends a file without an error at a line that is `\.`.
So each block is checked on its way and its records are counted; a file that is not plain is read by the general reader
instead, which tells the rows that cannot be loaded.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from penstock.artifacts import FileFormat, StagedFile
from tasks.warehouses.duckdb.reading_csv import dialect_of

_ENCODINGS = {"utf-8": "UTF8", "latin-1": "LATIN1"}
_END_OF_DATA = b"\\."
_LONGEST_LINE = 16 * 1024 * 1024


class NotPlainError(Exception):
    """The file has to be read by the general reader."""


def may_be_plain(file: StagedFile) -> bool:
    """Returns whether a file's format and dialect are ones that COPY takes."""
    dialect = dialect_of(file)
    return (
        file.format is FileFormat.CSV
        and bool(file.columns)
        and file.header_rows <= 1
        and not dialect.null_texts
        and dialect.encoding in _ENCODINGS
        and _is_sign(dialect.delimiter)
        and _is_sign(dialect.quote)
        and dialect.escape == dialect.quote != dialect.delimiter
    )


def copy_options(file: StagedFile) -> str:
    """Returns the options of COPY for a file."""
    dialect = dialect_of(file)
    signs = {"DELIMITER": dialect.delimiter, "QUOTE": dialect.quote, "ESCAPE": dialect.escape}
    told = ", ".join(f"{name} {_literal(sign)}" for name, sign in signs.items())
    header = "true" if file.header_rows else "false"
    return f"FORMAT csv, HEADER {header}, NULL '', ENCODING '{_ENCODINGS[dialect.encoding]}', {told}"


class PlainCsv:
    """Passes a file's bytes on in blocks of whole lines, and counts its records, the header with them."""

    def __init__(self, file: StagedFile) -> None:
        dialect = dialect_of(file)
        self._quote = dialect.quote.encode("ascii")
        self._edges = [dialect.delimiter.encode("ascii"), b"\n", b"\r"]
        self._is_inside = False
        self._line_feeds = 0
        self._returns = 0
        self._pairs = 0
        self._is_ended = True

    def checked(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yields the file without a byte order mark.

        Raises:
            NotPlainError: the file has to be read by the general reader.
        """
        for block in _whole_lines(chunks):
            self._check(block)
            yield block
        if self._is_inside:
            raise NotPlainError

    @property
    def records(self) -> int:
        """Records that the blocks held.

        Raises:
            NotPlainError: they end in several ways.
        """
        if self._returns and self._line_feeds and not self._returns == self._line_feeds == self._pairs:
            raise NotPlainError
        return max(self._line_feeds, self._returns) + (0 if self._is_ended else 1)

    def _check(self, block: bytes) -> None:
        if block.startswith(_END_OF_DATA) or any(end + _END_OF_DATA in block for end in (b"\n", b"\r")):
            raise NotPlainError
        outside = self._outside(block) if self._is_inside or self._quote in block else block
        self._line_feeds += outside.count(b"\n")
        if b"\r" in outside:
            self._returns += outside.count(b"\r")
            self._pairs += outside.count(b"\r\n")
        self._is_ended = not self._is_inside and block.endswith((b"\n", b"\r"))

    def _outside(self, block: bytes) -> bytes:
        """Returns what stands outside quotes, a quote sign in the place of each quoted value.

        Raises:
            NotPlainError: a quote stands inside an unquoted value, or text behind a closed one.
        """
        parts = block.split(self._quote)
        first = self._quote if self._is_inside else b"\n"
        outside = self._quote.join(parts[1 if self._is_inside else 0 :: 2])
        self._is_inside = self._is_inside == (len(parts) % 2 == 1)
        text = first + outside + (self._quote if self._is_inside else b"")
        while self._quote * 2 in text:  # a quote inside a value is written twice
            text = text.replace(self._quote * 2, self._quote)
        values = text.count(self._quote)
        opened = sum(text.count(edge + self._quote) for edge in self._edges)
        closed = sum(text.count(self._quote + edge) for edge in self._edges)
        if opened != values - text.startswith(self._quote) or closed != values - text.endswith(self._quote):
            raise NotPlainError
        return outside


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yields a file in blocks that end with a line's end, so that nothing of two bytes is cut."""
    rest, is_first = b"", True
    for chunk in chunks:
        data = rest + chunk
        if is_first and len(data) >= len(codecs.BOM_UTF8):
            data, is_first = data.removeprefix(codecs.BOM_UTF8), False
        end = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
        rest = data[end:]
        if len(rest) > _LONGEST_LINE:
            raise NotPlainError
        if end:
            yield data[:end]
    rest = rest.removeprefix(codecs.BOM_UTF8) if is_first else rest
    if rest:
        yield rest


def _is_sign(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in " \r\n\\\0"


def _literal(sign: str) -> str:
    return "'" + sign.replace("'", "''") + "'"
