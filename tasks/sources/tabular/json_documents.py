"""Reads JSON documents into JSON lines: an array at a path, or documents one behind the other.

ijson reads events instead of the whole document, so that only one record is in memory; numbers keep their digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO

import orjson

from penstock.errors import DataError
from tasks.sources.tabular.loadable import BLOCK_BYTES, Block

_WHITE_SPACE = b" \t\r\n"
_MARK = b"\xef\xbb\xbf"


def json_blocks(file: BinaryIO, name: str, records: str) -> Iterator[Block]:
    """Yields the records of JSON documents as lines.

    Args:
        file: The documents, UTF-8.
        name: Its name.
        records: Where each document has its array, names joined by dots; without it, the elements of an array, or each
            document as it is.

    Raises:
        DataError: it is no JSON, or has no array there.
    """
    import ijson

    start = _first_sign(file)
    if not start:
        return
    path = f"{records}.item" if records else "item" if start == b"[" else ""
    joined = _Joined(start, file)
    try:
        found = False
        for block in _lines(ijson.items(joined, path, multiple_values=True)):
            found = True
            yield block
    except ijson.JSONError as error:
        raise DataError(
            "the file is no JSON that can be read",
            guidance="Have it delivered whole and as UTF-8; JSON lines have `format: jsonl`.",
            source_name=name,
        ) from error
    if not found and records:
        _check_array(file, name, records)


def _lines(values: Iterator[Any]) -> Iterator[Block]:
    lines, size = [], 0
    for value in values:
        line = _line(value)
        lines.append(line)
        size += len(line)
        if size >= BLOCK_BYTES:
            yield Block(b"".join(lines), len(lines))
            lines, size = [], 0
    if lines:
        yield Block(b"".join(lines), len(lines))


def _line(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_fraction, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a whole number beyond 64 bits, which orjson (3.11) refuses without asking `_fraction`
        return orjson.dumps(_with_large_numbers(value), default=_fraction, option=orjson.OPT_APPEND_NEWLINE)


def _fraction(value: Any) -> orjson.Fragment:
    """Writes a number with the digits that it was read with."""
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value).encode())
    raise TypeError(type(value).__name__)


def _with_large_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_large_numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_large_numbers(one) for one in value]
    return orjson.Fragment(str(value).encode()) if type(value) is int else value


def _first_sign(file: BinaryIO) -> bytes:
    """Returns the first byte that is neither white space nor of a byte order mark; empty at the end of the file."""
    skipped = b""
    while sign := file.read(1):
        if skipped + sign in {_MARK[:1], _MARK[:2], _MARK}:
            skipped += sign
        elif sign not in _WHITE_SPACE:
            return sign
    return b""


def _check_array(file: BinaryIO, name: str, records: str) -> None:
    """Tells an empty array from none; reads the file again.

    Raises:
        DataError: there is no array at the path.
    """
    import ijson

    file.seek(0)
    start = _first_sign(file)
    events = ijson.parse(_Joined(start, file), multiple_values=True)
    if not any(prefix == records and event == "start_array" for prefix, event, _ in events):
        raise DataError(
            "the JSON document has no array at that path",
            guidance="Correct the dataset's `records`: names joined by dots, such as data.items.",
            source_name=name,
            records=records,
        )


class _Joined:
    """A byte that was read already, and the rest of its file."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start = start
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        """Reads on."""
        if self._start and size:
            start, self._start = self._start, b""
            return start + self._rest.read(size - 1 if size > 0 else -1)
        return self._rest.read(size)
