"""Splits the start of a CSV text into records, as DuckDB's strict mode does.

A quote means something only where a field begins (spaces before it are passed over); inside, the escape character
stands before a quote that belongs to the value. Records end at LF, CRLF or CR outside quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from penstock.artifacts import CsvDialect


class Record(NamedTuple):
    """One record, and where it stands in the text.

    Attributes:
        fields: Its values, without quotes and escapes.
        raw: Its characters, with what ends it.
        new_line: What ends it; empty where the text ends first.
        is_whole: Whether its end was seen.
        is_well_formed: Whether every closing quote is followed by a delimiter or the record's end.
        is_quoted: Whether every field is quoted.
    """

    fields: tuple[str, ...]
    raw: str
    new_line: str
    is_whole: bool
    is_well_formed: bool
    is_quoted: bool

    @property
    def is_blank(self) -> bool:
        """Whether it is an empty line, or one of nothing but white space."""
        return not self.raw.strip()


class _Field(NamedTuple):
    value: str
    end: int
    is_closed: bool = True
    is_well_formed: bool = True
    is_quoted: bool = False


def split_records(text: str, dialect: CsvDialect, *, at_end: bool) -> Iterator[Record]:
    """Yields the records of a text; the last one may be cut off (`is_whole` is off) unless `at_end`."""
    position = 0
    while position < len(text):
        record = _read_record(text, position, dialect, at_end=at_end)
        yield record
        position += len(record.raw)


def _read_record(text: str, start: int, dialect: CsvDialect, *, at_end: bool) -> Record:
    stops = _stops(dialect.delimiter)
    fields: list[_Field] = []
    position, new_line = start, ""
    while not new_line:
        field = _read_field(text, position, dialect)
        fields.append(field)
        stop = stops.match(text, field.end)
        if stop is None:
            position = len(text)
            break
        position = stop.end()
        new_line = "" if stop[0] == dialect.delimiter else stop[0]
    # A CR that ends the text may be the first half of a CRLF.
    was_cut = position == len(text) and not at_end and new_line not in {"\n", "\r\n"}
    return Record(
        fields=tuple(field.value for field in fields),
        raw=text[start:position],
        new_line=new_line,
        is_whole=fields[-1].is_closed and not was_cut,
        is_well_formed=all(field.is_well_formed for field in fields) and (fields[-1].is_closed or not at_end),
        is_quoted=all(field.is_quoted for field in fields),
    )


def _read_field(text: str, start: int, dialect: CsvDialect) -> _Field:
    opening = start
    while dialect.quote and text[opening : opening + 1] == " " and not dialect.delimiter.startswith(" "):
        opening += 1
    if dialect.quote and text.startswith(dialect.quote, opening):
        return _read_quoted(text, opening + len(dialect.quote), dialect)
    stop = _stops(dialect.delimiter).search(text, start)
    end = stop.start() if stop else len(text)
    return _Field(text[start:end], end)


def _read_quoted(text: str, start: int, dialect: CsvDialect) -> _Field:
    parts, position = [], start
    for mark in _marks(dialect.quote, dialect.escape).finditer(text, start):
        parts.append(text[position : mark.start()])
        position = mark.end()
        if mark["escaped"] is None:
            break
        parts.append(mark["escaped"])
    else:
        return _Field("", len(text), is_closed=False, is_quoted=True)
    stop = _stops(dialect.delimiter).search(text, position)
    end = stop.start() if stop else len(text)
    return _Field("".join(parts), end, is_well_formed=not text[position:end].strip(" "), is_quoted=True)


@lru_cache(maxsize=32)
def _stops(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(delimiter)}|\r\n|\r|\n")


@lru_cache(maxsize=32)
def _marks(quote: str, escape: str) -> re.Pattern[str]:
    q, e = re.escape(quote), re.escape(escape or quote)
    return re.compile(rf"{e}(?P<escaped>{e}|{q})|{q}")
