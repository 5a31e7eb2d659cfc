"""Tells apart and counts the records of a CSV file that has line breaks inside quotes, without DuckDB.

A load compares this count with what DuckDB read, because DuckDB 2.0 can go wrong on such files without an error: its
parallel reader guesses where a record begins, and takes the first line break it sees for what ends records. Records
are told apart as DuckDB's strict mode does: a quote opens a value only where a field begins, spaces aside. In a dialect
without a quote every line is a record.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Container, Iterator
from typing import BinaryIO, NamedTuple

from penstock.artifacts import CsvDialect

_CHUNK_BYTES = 1 << 20
_LINE_END = re.compile(rb"\r\n|\r|\n")
_VALUE = b"x"


class RecordCount(NamedTuple):
    """A file's records that are not blank, its blank lines, and what ends them."""

    records: int = 0
    blank: int = 0
    line_ends: frozenset[bytes] = frozenset()

    def plus_lines(self, text: bytes) -> RecordCount:
        """Counts the lines of a text that has no line breaks inside quotes."""
        split = text.splitlines()
        blank = split.count(b"")
        ends = _LINE_END.findall(text) if b"\r" in text else [b"\n"][: text.count(b"\n")]
        return RecordCount(self.records + len(split) - blank, self.blank + blank, self.line_ends.union(ends))


class Record(NamedTuple):
    """A record's bytes with what ends it, and the same with an `x` for each quoted value."""

    raw: bytes
    bare: bytes
    is_unclosed: bool = False

    @property
    def line_count(self) -> int:
        """How many lines it takes."""
        return len(self.raw.splitlines())


def count_by_parity(stream: BinaryIO, dialect: CsvDialect) -> RecordCount:
    """Counts fast, taking every quote for one that opens or closes a value.

    It is wrong for a file with a stray quote, as in `5" pipe`, or with quotes that a backslash escapes.
    """
    if not dialect.quote:
        return count_exactly(stream, dialect)
    quote = as_bytes(dialect.quote, dialect)
    count, is_inside, rest = RecordCount(), False, b""
    for chunk in _chunks(stream, dialect):
        parts = chunk.split(quote)
        text = rest + _VALUE.join(parts[1 if is_inside else 0 :: 2])
        is_inside = is_inside == (len(parts) % 2 == 1)
        whole, rest = _cut(text + _VALUE if is_inside else text)
        count = count.plus_lines(whole)
    return count.plus_lines(rest)


def count_exactly(stream: BinaryIO, dialect: CsvDialect) -> RecordCount:
    """Counts record by record, some twenty times slower."""
    count = RecordCount()
    for record in records(lines(stream, dialect), dialect):
        count = count.plus_lines(record.bare)
    return count


def records(of_lines: Iterator[bytes], dialect: CsvDialect) -> Iterator[Record]:
    """Yields the records that lines make up; a quote that is never closed makes the rest of the file one record."""
    if not dialect.quote:
        yield from (Record(line, line) for line in of_lines)
        return
    quote = as_bytes(dialect.quote, dialect)
    quoted_value, opening_quote = _patterns(dialect)
    raw = b""
    for line in of_lines:
        was_open = bool(raw)
        raw += line
        if was_open and quote not in line:
            continue
        bare = quoted_value.sub(_VALUE, raw) if quote in raw else raw
        if not opening_quote.search(bare):
            yield Record(raw, bare)
            raw = b""
    if raw:
        yield Record(raw, _VALUE, is_unclosed=True)


def unclosed_record(stream: BinaryIO, dialect: CsvDialect) -> tuple[int, bytes] | None:
    """Returns the line and the bytes of a last record whose quote is never closed; None where there is none."""
    line = 1
    for record in records(lines(stream, dialect), dialect):
        if record.is_unclosed:
            return line, record.raw
        line += record.line_count
    return None


def physical_lines(stream: BinaryIO, dialect: CsvDialect, ordinals: Container[int]) -> dict[int, int]:
    """Returns the lines on which records begin, by their ordinals; both count from 1, blank lines are records, too."""
    found, line = {}, 1
    for ordinal, record in enumerate(records(lines(stream, dialect), dialect), start=1):
        if ordinal in ordinals:
            found[ordinal] = line
        line += record.line_count
    return found


def lines(stream: BinaryIO, dialect: CsvDialect) -> Iterator[bytes]:
    """Yields a file's lines with their ends; UTF-16 as UTF-8, and without a byte order mark."""
    rest = b""
    for chunk in _chunks(stream, dialect):
        whole, rest = _cut(rest + chunk)
        yield from whole.splitlines(keepends=True)
    yield from rest.splitlines(keepends=True)


def as_bytes(text: str, dialect: CsvDialect) -> bytes:
    """Returns text as it stands in the lines of a file of this dialect."""
    return text.encode("latin-1" if dialect.encoding == "latin-1" else "utf-8")


def _patterns(dialect: CsvDialect) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Returns patterns of a quoted value with its quotes, and of a quote that opens one."""
    q, e, d = (re.escape(as_bytes(text, dialect)) for text in (dialect.quote, dialect.escape, dialect.delimiter))
    begin = rb"(?:\A|(?<=" + d + rb")) *" + q
    if dialect.escape == dialect.quote:
        rest = rb"[^" + q + rb"]*(?:" + q + q + rb"[^" + q + rb"]*)*" + q + rb"(?!" + q + rb")"
    else:
        rest = rb"[^" + q + e + rb"]*(?:" + e + rb".[^" + q + e + rb"]*)*" + q
    return re.compile(begin + rest, re.DOTALL), re.compile(begin)


def _cut(text: bytes) -> tuple[bytes, bytes]:
    """Returns the whole lines of a text, and the start of the next; a CR at the end may be half a CRLF."""
    end = max(text.rfind(b"\n"), text[:-1].rfind(b"\r")) + 1
    return text[:end], text[end:]


def _chunks(stream: BinaryIO, dialect: CsvDialect) -> Iterator[bytes]:
    """Yields the file in an encoding that keeps ASCII as it is, without a byte order mark."""
    decoder = codecs.getincrementaldecoder("utf-16")() if dialect.encoding == "utf-16" else None
    is_first = True
    while chunk := stream.read(_CHUNK_BYTES):
        data = decoder.decode(chunk).encode("utf-8", "surrogatepass") if decoder else chunk
        yield data.removeprefix(codecs.BOM_UTF8) if is_first else data
        is_first = False
    if decoder:
        decoder.decode(b"", final=True)  # half a character at the end is an error, too
