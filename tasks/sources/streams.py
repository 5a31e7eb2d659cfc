"""Counts records in bytes that stream past, and notices what ends in the middle or is something else."""

from __future__ import annotations

import csv
import re

import msgspec

from tasks.sources.http.failures import UnreadableBodyError

_QUOTE = b'"'
_LONGEST_NAME = 100
_CUT_GUIDANCE = "The answer was cut off on its way; run again."


class CsvRecords:
    """Counts the records after a CSV header, whose values may hold line breaks in quotes (RFC 4180).

    Args:
        expected_columns: What the header must hold, beside looking like one: a service may answer with an error text.
    """

    def __init__(self, expected_columns: tuple[str, ...] = ()) -> None:
        self.count = 0
        self._expected = expected_columns
        self._in_quotes = False
        self._tail = b""
        self._header: bytes | None = None
        self._head = b""

    def feed(self, data: bytes) -> int:
        """Returns how many records end in these bytes.

        Raises:
            UnreadableBodyError: The first line is no header.
        """
        if self._header is None:
            self._head += data
        # Every other part lies in quotes; one quote stands for each of them, so that no line looks empty for it.
        parts = data.split(_QUOTE)
        outside = _QUOTE.join(parts[self._in_quotes :: 2])
        self._in_quotes ^= len(parts) % 2 == 0
        lines = (self._tail + outside).split(b"\n")
        self._tail = lines.pop()
        return self._add(sum(1 for line in lines if line.strip(b"\r")))

    def finish(self) -> int:
        """Returns how many records (0 or 1) the end of the bytes ends.

        Raises:
            UnreadableBodyError: There was no header, or the bytes end inside quotes.
        """
        if self._in_quotes:
            raise UnreadableBodyError("the CSV ends in the middle of a value", guidance=_CUT_GUIDANCE)
        added = self._add(1 if self._tail.strip(b"\r") else 0)
        self._tail = b""
        if self._header is None:
            raise UnreadableBodyError("the answer is empty", guidance="Even a window without rows has a header.")
        return added

    def _add(self, lines: int) -> int:
        if lines and self._header is None:
            self._header = self._head
            self._head = b""
            check_header(self._header, self._expected)
            lines -= 1
        self.count += lines
        return lines


class JsonLines:
    """Counts JSON lines. Malformed ones count as well: the warehouse keeps them with their reason."""

    def __init__(self) -> None:
        self.count = 0
        self._tail = b""

    def feed(self, data: bytes) -> int:
        """Returns how many lines end in these bytes; empty ones do not count."""
        lines = (self._tail + data).split(b"\n")
        self._tail = lines.pop()
        added = sum(1 for line in lines if line.strip())
        self.count += added
        return added

    def finish(self) -> int:
        """Returns how many lines (0 or 1) the end of the bytes ends.

        Raises:
            UnreadableBodyError: The last line has no line break and is no whole record.
        """
        if not self._tail.strip():
            return 0
        try:
            msgspec.json.decode(self._tail, type=msgspec.Raw)
        except msgspec.MsgspecError:
            raise UnreadableBodyError("the file ends in the middle of a record", guidance=_CUT_GUIDANCE) from None
        self.count += 1
        return 1


def check_header(data: bytes, expected_columns: tuple[str, ...]) -> None:
    """Checks that bytes begin with a CSV header.

    An error text has no second column, or looks like JSON, HTML or a sentence.

    Raises:
        UnreadableBodyError: They do not, or a column that is expected is not there.
    """
    text = data.decode("utf-8-sig", errors="replace")
    names = next((row for row in csv.reader(text.splitlines(keepends=True)) if row), [])
    is_header = len(names) > 1 and not any(_looks_like_prose(name) for name in names)
    if not is_header or not set(expected_columns) <= set(names):
        raise UnreadableBodyError(
            "the answer is not the report's CSV",
            guidance="The API answered with a success status and something else, such as an error text; run again.",
        )


def _looks_like_prose(name: str) -> bool:
    return len(name) > _LONGEST_NAME or re.match(r"\s*[{\[<]", name) is not None or name.rstrip().endswith((".", "!"))
