"""Which encoding a text file is in, and its first bytes as text.

A byte order mark is proof; without one, a file is UTF-8 unless its dialect says otherwise. Refused is what DuckDB 2.0
would not load rightly: it reads big-endian UTF-16 as no rows at all, and stops at control characters in Latin-1
(tests/integration/test_staging_duckdb.py keeps these facts).
"""

from __future__ import annotations

import codecs
from typing import Literal, NamedTuple

from penstock.errors import DataError

Encoding = Literal["utf-8", "utf-16", "latin-1"]

_CODECS: dict[Encoding, str] = {"utf-8": "utf-8", "utf-16": "utf-16-le", "latin-1": "latin-1"}
# UTF-32's little-endian mark begins with UTF-16's, so it comes first.
_REFUSED_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_BE: "utf-16, big-endian",
}
_MARKS: dict[bytes, Encoding] = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16"}


class DecodedText(NamedTuple):
    """A file's first characters, without the byte order mark."""

    text: str
    encoding: Encoding


def decode_start(data: bytes, declared: Encoding | None, *, key: str, at_end: bool) -> DecodedText:
    """Decodes a file's first bytes; a character that the bytes cut off is left out unless they are the whole file.

    Args:
        data: The first bytes, decompressed.
        declared: What the dialect says, if there is one.
        key: Names the file in errors.
        at_end: Whether `data` is the whole file.

    Raises:
        DataError: the bytes are not in their encoding (`byte_offset` says where), or the encoding cannot be loaded.
    """
    _refuse_marks(data, key)
    mark, encoding = next(
        ((mark, encoding) for mark, encoding in _MARKS.items() if data.startswith(mark)), (b"", declared or "utf-8")
    )
    if encoding == "utf-16" and not mark and data[:1] == b"\0":
        raise _refusal(key, "utf-16, big-endian")
    try:
        text = codecs.getincrementaldecoder(_CODECS[encoding])().decode(data[len(mark) :], final=at_end)
    except UnicodeDecodeError as error:
        raise DataError(
            "the file is not in the encoding it should be in",
            guidance="If it is Latin-1 or UTF-16 without a byte order mark, say so in the dataset's dialect.",
            key=key,
            encoding=encoding,
            byte_offset=len(mark) + error.start,
        ) from error
    _refuse_characters(text, encoding, key)
    return DecodedText(text, encoding)


def has_mark(data: bytes) -> bool:
    """Returns whether a file begins with a byte order mark."""
    return data.startswith(tuple(_MARKS))


def _refuse_marks(data: bytes, key: str) -> None:
    for mark, name in _REFUSED_MARKS.items():
        if data.startswith(mark):
            raise _refusal(key, name)


def _refuse_characters(text: str, encoding: Encoding, key: str) -> None:
    if encoding == "latin-1" and any("\x80" <= character < "\xa0" for character in text):
        raise _refusal(key, "not latin-1 but probably windows-1252")


def _refusal(key: str, encoding: str) -> DataError:
    return DataError(
        "the file's encoding cannot be loaded", guidance="Have it delivered as UTF-8.", key=key, encoding=encoding
    )
