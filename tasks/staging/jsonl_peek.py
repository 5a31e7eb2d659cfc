"""Peeks into a JSON lines file: whether each line begins like an object."""

from __future__ import annotations

import codecs
import json

from penstock.errors import DataError
from tasks.staging.prefix import Prefix

_ARRAY_GUIDANCE = "Have it delivered as JSON lines: one object a line, without brackets around or commas between them."


def peek_jsonl(prefix: Prefix) -> bool:
    """Checks the start of a JSON lines file and returns whether it holds anything.

    The first line is parsed where it ends within the first bytes; a longer one has only to begin like an object.

    Raises:
        DataError: the file is a JSON array, is pretty-printed, is not UTF-8, has a byte order mark, or is no JSON.
    """
    while not prefix.data.strip() and not prefix.at_end:
        prefix.grow()
    _check_encoding(prefix)
    content = prefix.data.lstrip()
    if not content:
        return False
    if content.startswith(b"["):
        raise _refusal(prefix.key, "a JSON array")
    if not content.startswith(b"{"):
        raise _refusal(prefix.key, "no JSON object")
    line, newline, _ = content.partition(b"\n")
    if newline or prefix.at_end:
        _check_line(line, prefix.key)
    return True


def _check_encoding(prefix: Prefix) -> None:
    marks = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if prefix.data.startswith(marks):
        raise _refusal(prefix.key, "text with a byte order mark")  # DuckDB 2.0 refuses it too
    try:
        codecs.getincrementaldecoder("utf-8")().decode(prefix.data, final=prefix.at_end)
    except UnicodeDecodeError as error:
        raise DataError(
            "the file is not in the encoding it should be in",
            guidance="JSON is UTF-8; have the file delivered in it.",
            key=prefix.key,
            encoding="utf-8",
            byte_offset=error.start,
        ) from error


def _check_line(line: bytes, key: str) -> None:
    try:
        json.loads(line)
    except ValueError as error:
        is_cut = line.rstrip().endswith((b"{", b",", b"["))
        raise _refusal(key, "pretty-printed JSON" if is_cut else "no JSON object on its first line") from error


def _refusal(key: str, found: str) -> DataError:
    return DataError("the file is not JSON lines", guidance=_ARRAY_GUIDANCE, key=key, found=found)
