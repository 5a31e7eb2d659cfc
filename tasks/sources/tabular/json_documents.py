"""Reads JSON documents into JSON lines: an array at a path, or documents one behind the other.

ijson reads events instead of the whole document, so that only one record is in memory; numbers keep their digits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any, BinaryIO

import orjson

from penstock.errors import DataError
from tasks.sources.tabular.loadable import BLOCK_BYTES, Block

_WHITE_SPACE = b" \t\r\n"
_MARK = b"\xef\xbb\xbf"


def json_blocks(open_file: Callable[[], BinaryIO], name: str, records: str) -> Iterator[Block]:
    """Yields the records of JSON documents as lines.

    Args:
        open_file: Opens the documents, UTF-8, from their start, at the end of any earlier reading.
        name: The file's name.
        records: Where each document has its array, names joined by dots; without it, the elements of an array, or each
            document as it is.

    Raises:
        DataError: it is no JSON, or one of the documents has no array there.
    """
    import ijson

    start = _first_sign(open_file())
    if not start:
        return
    if records or start == b"[":
        values = _elements(open_file, name, records)
    else:
        values = ijson.items(_Documents(open_file), "", multiple_values=True)
    try:
        yield from _lines(values)
    except ijson.JSONError as error:
        raise DataError(
            "the file is no JSON that can be read",
            guidance="Have it delivered whole and as UTF-8; JSON lines have `format: jsonl`.",
            source_name=name,
        ) from error


def _elements(open_file: Callable[[], BinaryIO], name: str, records: str) -> Iterator[Any]:
    """Yields the elements of each document's array.

    Most files are one document, of which an element tells that the array is there. Otherwise all are looked through.
    """
    import ijson

    path = f"{records}.item" if records else "item"
    count = 0
    try:
        for value in ijson.items(_Documents(open_file), path):
            count += 1
            yield value
    except ijson.JSONError:
        # Something stands behind the document, or it is broken, which is found again.
        yield from islice(ijson.items(_Documents(open_file), path, multiple_values=True), count, None)
    else:
        if count:
            return
    _check_arrays(open_file, name, records)


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


def _check_arrays(open_file: Callable[[], BinaryIO], name: str, records: str) -> None:
    """Tells an empty array from none.

    Raises:
        DataError: a document has no array at the path.
    """
    import ijson

    document, depth, has_array = 1, 0, False
    for prefix, event, _ in ijson.parse(_Documents(open_file), multiple_values=True):
        has_array = has_array or (prefix == records and event == "start_array")
        depth += event.startswith("start_") - event.startswith("end_")
        if depth:
            continue
        if not has_array:
            raise DataError(
                "a JSON document has no array at that path"
                if records
                else "a JSON document is no array as the first is",
                guidance="Correct the dataset's `records`: names joined by dots, such as data.items."
                if records
                else "Have each document of a file delivered in the same shape.",
                source_name=name,
                document=document,
                records=records or None,
            )
        document, has_array = document + 1, False


class _Documents:
    """A file from its first sign on, without a byte order mark."""

    def __init__(self, open_file: Callable[[], BinaryIO]) -> None:
        self._rest = open_file()
        self._start = _first_sign(self._rest)

    def read(self, size: int = -1) -> bytes:
        """Reads on."""
        if self._start and size:
            start, self._start = self._start, b""
            return start + self._rest.read(size - 1 if size > 0 else -1)
        return self._rest.read(size)
