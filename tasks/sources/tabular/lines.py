"""Reads text files line by line: what stands above and below the data is left out."""

from __future__ import annotations

import codecs
import io
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from penstock.errors import DataError


def text_lines(file: BinaryIO, name: str, encoding: str) -> Iterator[str]:
    """Yields the lines of a text, each with what ends it, without a byte order mark.

    Raises:
        DataError: it is not in its encoding.
    """
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    with io.TextIOWrapper(io.BufferedReader(_Unclosed(file)), encoding=codec, newline="") as text:
        try:
            yield from text
        except UnicodeError as error:
            raise DataError(
                "the file is not in the encoding it should be in",
                guidance="Name its encoding in the dataset, or have it delivered as UTF-8.",
                source_name=name,
                encoding=codecs.lookup(encoding).name,
            ) from error


def without_edges(lines: Iterable[str], *, above: int, below: int) -> Iterator[str]:
    """Yields lines without the first and the last ones; blank lines at the end are no lines."""
    held: deque[str] = deque()
    blank: list[str] = []
    for number, line in enumerate(lines):
        if number < above:
            continue
        if not line.strip():
            blank.append(line)
            continue
        held.extend(blank)
        blank.clear()
        held.append(line)
        while len(held) > below:
            yield held.popleft()


class _Unclosed(io.RawIOBase):
    """A file that its reader does not close."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, target: Any, /) -> int:
        """Reads the next bytes."""
        data = self._file.read(len(target))
        target[: len(data)] = data
        return len(data)
