"""Reads any place of an object by ranged reads, for formats that have their directory at their end."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO, cast

from tasks.staging.contract import ObjectStore
from tasks.staging.keys import missing_object

_BUFFER_BYTES = 4 << 20
"""One request's worth: few requests for a whole file, little memory."""


def open_seekable(store: ObjectStore, key: str) -> BinaryIO:
    """Opens an object of which any place can be read.

    Raises:
        DataError: there is no such object.
    """
    info = store.stat(key)
    if info is None:
        raise missing_object(key)
    return cast("BinaryIO", io.BufferedReader(_RangedReader(store, key, info.size_bytes), _BUFFER_BYTES))


class _RangedReader(io.RawIOBase):
    def __init__(self, store: ObjectStore, key: str, size_bytes: int) -> None:
        self._store = store
        self._key = key
        self._size_bytes = size_bytes
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size_bytes}[whence]
        if start + offset < 0:
            raise OSError("a file has no place before its start")
        self._position = start + offset
        return self._position

    def readinto(self, target: Any, /) -> int:
        wanted = min(len(target), self._size_bytes - self._position)
        if wanted <= 0:
            return 0
        data = self._store.read_range(self._key, self._position, wanted)
        target[: len(data)] = data
        self._position += len(data)
        return len(data)
