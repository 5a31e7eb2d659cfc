"""Finds how a CSV text is written from its header and the records that follow it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import NamedTuple

from penstock.artifacts import CsvDialect
from tasks.staging.csv_records import Record, split_records

DELIMITERS = (",", ";", "\t", "|")
"""In order of preference where a text allows several."""

_RECORDS_JUDGED = 20
_BLANK_LINES = re.compile(r"[ \t\r\n]*[\r\n]")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


class CsvStart(NamedTuple):
    """The start of a CSV text, read with one dialect.

    Attributes:
        dialect: How it was read.
        blank_rows: Lines before the header: those that the dialect skips, and blank ones.
        header: The first record that is not blank; None where there is none yet.
        following: The whole records after it, at most twenty.
        new_lines: What ends the lines before the header, the header and the following records.
        is_skipped_whole: Whether the lines that the dialect skips are records, so that every reader skips the same.
    """

    dialect: CsvDialect
    blank_rows: int
    header: Record | None
    following: tuple[Record, ...]
    new_lines: AbstractSet[str]
    is_skipped_whole: bool = True

    @property
    def is_conclusive(self) -> bool:
        """Whether the header and a record that supports it were seen whole."""
        return self.header is not None and self.header.is_whole and bool(self.following)


def read_start(text: str, dialect: CsvDialect, *, at_end: bool) -> CsvStart:
    """Reads a text's header and the records after it with a known dialect."""
    skipped = _end_of_lines(text, dialect.skip_rows)
    blank = _BLANK_LINES.match(text, skipped)
    above = text[: blank.end() if blank else skipped]
    ends: list[str] = _LINE_ENDS.findall(above)
    records = split_records(text[len(above) :], dialect, at_end=at_end)
    header = next(records, None)
    if header is None or header.is_blank or len(ends) < dialect.skip_rows:
        return CsvStart(dialect, len(ends), None, (), frozenset(ends))
    whole = [record for record in islice(records, _RECORDS_JUDGED) if record.is_whole]
    record_ends = {record.new_line for record in (header, *whole) if record.is_whole and record.new_line}
    following = tuple(record for record in whole if not record.is_blank)
    is_whole = _are_records(text[:skipped], dialect)
    return CsvStart(dialect, len(ends), header, following, record_ends.union(ends), is_whole)


def _end_of_lines(text: str, count: int) -> int:
    """Returns where the first lines of a text end."""
    if not count:
        return 0
    last = next(islice(_LINE_ENDS.finditer(text), count - 1, None), None)
    return last.end() if last else len(text)


def _are_records(text: str, dialect: CsvDialect) -> bool:
    found = list(split_records(text, dialect, at_end=True))
    return len(found) == dialect.skip_rows and all(record.is_whole and record.is_well_formed for record in found)


def find_start(text: str, encoding: str, *, at_end: bool) -> CsvStart:
    """Reads a text's start with the dialect that fits it best.

    A dialect fits better when it parts the header at all, when every quote that it sees there is closed properly, when
    more of the records have as many fields as the header, when no name begins with a space, when all names are quoted
    its way, and when it gives more columns, in this order; the earlier candidate wins a tie.
    """
    starts = [read_start(text, dialect, at_end=at_end) for dialect in _candidates(text, encoding)]
    return max(starts, key=_fitness)


def _candidates(text: str, encoding: str) -> Iterator[CsvDialect]:
    quoting = [('"', '"')]
    if text.lstrip().startswith("'"):
        quoting.append(("'", "'"))
    if '\\"' in text:
        quoting.append(('"', "\\"))
    for quote, escape in quoting:
        for delimiter in DELIMITERS:
            yield CsvDialect.model_validate(
                {"delimiter": delimiter, "quote": quote, "escape": escape, "encoding": encoding}
            )


def _fitness(start: CsvStart) -> tuple[bool, bool, float, bool, bool, int]:
    header = start.header
    if header is None:
        return False, False, 0.0, False, False, 0
    columns = len(header.fields)
    fitting = [record.is_well_formed and len(record.fields) == columns for record in start.following]
    return (
        columns > 1,
        header.is_well_formed,
        sum(fitting) / len(fitting) if fitting else 1.0,
        not any(name.startswith(" ") for name in header.fields),
        header.is_quoted,
        columns,
    )
