"""The first bytes of a stored file, decompressed, growing as the reader asks for more.

Only ranges of the object are read: 8 KiB at first, then as much again each time. What a file is compressed with is
told by its first bytes, not by its name.
"""

from __future__ import annotations

import gzip
import zlib
from typing import IO, Protocol, cast

from penstock.artifacts import Compression
from penstock.errors import DataError
from tasks.staging.contract import ObjectStore

FIRST_BYTES = 8 * 1024
LIMIT_BYTES = 1024 * 1024
"""How far a peek looks, in decompressed bytes. A header record beyond it is taken for a broken quote; a DuckDB line may
have two million bytes by default."""

_COMPRESSIONS = {b"\x1f\x8b": Compression.GZIP, b"\x28\xb5\x2f\xfd": Compression.ZSTD}
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"PAR1": "a Parquet file",
    b"PARE": "an encrypted Parquet file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
}


_MAGIC_WORDS = {b"PARE", b"ORC"}
"""What the header of a CSV file may begin with, too: `PARENT_ID`, `ORCID`."""


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Ranges:
    """An object's bytes from the start, as a stream over ranged reads that counts what it fetched."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self.bytes_read = 0
        self._store = store
        self._key = key
        self._ahead = b""
        self._at_end = False
        self._fetch()

    @property
    def first_bytes(self) -> bytes:
        """The object's first bytes; only before the first read."""
        return self._ahead

    def read(self, size: int = FIRST_BYTES, /) -> bytes:
        """Returns up to `size` bytes; fewer than that is not yet the end, none is."""
        if not self._ahead and not self._at_end:
            self._fetch()
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken

    def _fetch(self) -> None:
        wanted = max(FIRST_BYTES, self.bytes_read)
        self._ahead = self._store.read_range(self._key, self.bytes_read, wanted)
        self._at_end = len(self._ahead) < wanted
        self.bytes_read += len(self._ahead)


class Prefix:
    """A text file's first decompressed bytes (`data`), which `grow` doubles up to `LIMIT_BYTES`.

    Raises:
        DataError: the file is a kind of archive or binary file, or what compresses it is damaged.
    """

    def __init__(self, store: ObjectStore, key: str) -> None:
        self.key = key
        self.data = b""
        self.at_end = False
        self._ranges = Ranges(store, key)
        self.compression = self._recognise()
        self._stream = self._open_stream()
        self._read_up_to(FIRST_BYTES)

    @property
    def bytes_read(self) -> int:
        """How many bytes of the object were read from the store."""
        return self._ranges.bytes_read

    def grow(self) -> None:
        """Doubles `data`, or sets `at_end`.

        Raises:
            DataError: the limit is reached.
        """
        if len(self.data) >= LIMIT_BYTES:
            raise DataError(
                "the file's first record has no end within the limit of a peek",
                guidance="Look for an unclosed quote at its start, or name the dialect's delimiter and quote.",
                key=self.key,
                limit_bytes=LIMIT_BYTES,
            )
        self._read_up_to(2 * len(self.data))

    def _recognise(self) -> Compression:
        first = self._ranges.first_bytes
        for magic, kind in _FOREIGN.items():
            if first.startswith(magic) and not (magic in _MAGIC_WORDS and _is_text(first)):
                raise DataError(
                    "the file is of a kind that cannot be loaded as text",
                    guidance="Say its true format, or have it delivered plain, or compressed with gzip or zstd.",
                    key=self.key,
                    kind=kind,
                )
        found = (kind for magic, kind in _COMPRESSIONS.items() if first.startswith(magic))
        return next(found, Compression.NONE)

    def _open_stream(self) -> _Stream:
        source = cast("IO[bytes]", self._ranges)
        match self.compression:
            case Compression.GZIP:
                return gzip.GzipFile(fileobj=source, mode="rb")
            case Compression.ZSTD:
                import zstandard

                decompressor = zstandard.ZstdDecompressor()
                return decompressor.stream_reader(source, read_size=FIRST_BYTES, read_across_frames=True)
            case Compression.NONE:
                return source

    def _read_up_to(self, size: int) -> None:
        chunks, missing = [self.data], size - len(self.data)
        while missing > 0 and not self.at_end:
            chunk = self._read(missing)
            chunks.append(chunk)
            missing -= len(chunk)
            self.at_end = not chunk
        self.data = b"".join(chunks)

    def _read(self, size: int) -> bytes:
        damages: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile)
        if self.compression is Compression.ZSTD:
            import zstandard

            damages = (zstandard.ZstdError,)
        try:
            return self._stream.read(size)
        except damages as error:
            raise DataError(
                "the compressed file is damaged or ends early",
                guidance="Compare its size with the original's and have it delivered again.",
                key=self.key,
                compression=self.compression,
            ) from error


def _is_text(start: bytes) -> bool:
    """Returns whether bytes hold no control character but those of text: tab, line ends, escape and what lies there."""
    return not any(one < ord("\t") or ord("\r") < one < ord("\x1b") for one in start)
