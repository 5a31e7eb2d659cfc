"""Attached files as a warehouse can load them: gzip taken off, each member of a zip a file of its own."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

from penstock.errors import DataError

_CHUNK_BYTES = 2**20
_ENCRYPTED = 1
_GZIP_ENDINGS = (".gz", ".gzip")
_DAMAGED = "Ask the sender for it again, or leave the message out with the dataset's `query`."


class Unpacked(NamedTuple):
    """One file: its name, with those of the archives around it, and its bytes in pieces."""

    name: str
    pieces: Iterator[bytes]


class Allowance:
    """How many more bytes may come out of archives: a small one can hold more than any disk."""

    def __init__(self, maximum_bytes: int) -> None:
        self._maximum = maximum_bytes
        self._left = maximum_bytes

    def spend(self, size_bytes: int) -> None:
        """Counts bytes that came out.

        Raises:
            DataError: They are more than allowed.
        """
        self._left -= size_bytes
        if self._left < 0:
            raise DataError(
                "an attached archive holds more than is allowed",
                guidance="If it is what it should be, raise the dataset's `maximum_unpacked_bytes`.",
                maximum_unpacked_bytes=self._maximum,
            )


def unpack(name: str, data: bytes, allowance: Allowance) -> Iterator[Unpacked]:
    """Yields the files in an attachment, which is itself one of them unless it is an archive.

    The pieces of one file have to be read before the next is asked for.

    Raises:
        DataError: An archive is damaged, encrypted, or holds more than allowed.
    """
    if name.lower().endswith(".zip"):
        yield from _zip_members(name, data, allowance)
    elif name.lower().endswith(_GZIP_ENDINGS):
        with gzip.open(io.BytesIO(data)) as file:
            yield Unpacked(name[: name.rindex(".")], _pieces(file, allowance))
    else:
        yield Unpacked(name, iter((data,)))


def _zip_members(name: str, data: bytes, allowance: Allowance) -> Iterator[Unpacked]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise DataError("an attached archive is damaged", guidance=_DAMAGED) from error
    with archive:
        for member in archive.infolist():
            if member.is_dir() or _is_of_a_mac(member.filename):
                continue
            if member.flag_bits & _ENCRYPTED:
                raise DataError(
                    "an attached archive is encrypted",
                    guidance="Have it sent without a password, or leave the message out with the dataset's `query`.",
                )
            try:
                file = archive.open(member)
            except (zipfile.BadZipFile, NotImplementedError) as error:
                raise DataError("an attached archive is damaged", guidance=_DAMAGED) from error
            with file:
                yield Unpacked(f"{name}/{member.filename}", _pieces(file, allowance))


def _pieces(file: IO[bytes] | gzip.GzipFile, allowance: Allowance) -> Iterator[bytes]:
    try:
        while piece := file.read(_CHUNK_BYTES):
            allowance.spend(len(piece))
            yield piece
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError("an attached archive is damaged", guidance=_DAMAGED) from error


def _is_of_a_mac(path: str) -> bool:
    """Whether a member is what macOS adds to an archive beside each file."""
    return path.startswith("__MACOSX/") or path.rsplit("/", 1)[-1].startswith("._")
