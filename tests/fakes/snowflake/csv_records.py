"""Reads CSV as Snowflake documents it for COPY, record by record, in plain Python: independent of any warehouse."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

_ENCODINGS = {"UTF8": "utf-8", "UTF16": "utf-16", "ISO88591": "latin-1"}
_LINE_END = re.compile(r"\r\n|\n|\r")


class Record(NamedTuple):
    """A record: its number in the file, the line it begins on, its text, its fields or what is wrong with it."""

    number: int
    line: int
    raw: str
    fields: list[str | None]
    error: str | None = None


def read_records(path: Path, options: dict[str, Any]) -> Iterator[Record]:
    """Yields the records of a staged file by the options of a file format."""
    text = _text(path, options)
    position, line = 0, 1
    for _ in range(int(options.get("SKIP_HEADER", 0))):
        found = _LINE_END.search(text, position)
        position, line = (found.end() if found else len(text)), line + 1
    number = 0
    while position < len(text):
        fields, end, error = _record(text, position, options)
        fields = [None if field in options.get("NULL_IF", ()) else field for field in fields]
        raw = text[position:end]
        bare = _LINE_END.sub("", raw)
        if not (bare == "" and options.get("SKIP_BLANK_LINES")):
            number += 1
            if "\ufffd" in raw or any("\udc80" <= character <= "\udcff" for character in raw):
                error = "Invalid UTF8 detected in string"
            yield Record(number, line, raw, fields, error)
        position, line = end, line + len(_LINE_END.findall(raw))


def _text(path: Path, options: dict[str, Any]) -> str:
    data = path.read_bytes()
    if options["COMPRESSION"] == "GZIP":
        data = gzip.decompress(data)
    if options["COMPRESSION"] == "ZSTD":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    text = data.decode(
        _ENCODINGS[options["ENCODING"]], errors="surrogateescape" if options["ENCODING"] == "UTF8" else "strict"
    )
    return text.removeprefix("\ufeff")


def _record(text: str, position: int, options: dict[str, Any]) -> tuple[list[str | None], int, str | None]:
    """Returns a record's fields, where the next one begins, and what is wrong with it."""
    delimiter = None if options["FIELD_DELIMITER"] == "NONE" else options["FIELD_DELIMITER"]
    quote = None if options["FIELD_OPTIONALLY_ENCLOSED_BY"] == "NONE" else options["FIELD_OPTIONALLY_ENCLOSED_BY"]
    fields: list[str | None] = []
    while True:
        if quote and text.startswith(quote, position):
            value, position = _quoted(text, position + 1, quote, options)
            if value is None:
                return fields, len(text), "End of file reached while a closing quote was expected"
            fields.append(value)
        else:
            ends = [found.start() if (found := _LINE_END.search(text, position)) else len(text)]
            if delimiter and (at := text.find(delimiter, position)) >= 0:
                ends.append(at)
            fields.append(text[position : min(ends)] or None)
            position = min(ends)
        if delimiter and text.startswith(delimiter, position):
            position += len(delimiter)
            continue
        end = _LINE_END.match(text, position)
        if end or position == len(text):
            return fields, end.end() if end else position, None
        rest = _LINE_END.search(text, position)
        error = f"Found character '{text[position]}' instead of field delimiter '{delimiter}'"
        return fields, rest.end() if rest else len(text), error


def _quoted(text: str, position: int, quote: str, options: dict[str, Any]) -> tuple[str | None, int]:
    escape, value = options.get("ESCAPE", "NONE"), ""
    while position < len(text):
        if escape != "NONE" and text[position] == escape:
            value, position = value + text[position + 1 : position + 2], position + 2
        elif text.startswith(quote * 2, position):
            value, position = value + quote, position + 2
        elif text[position] == quote:
            return value, position + 1
        else:
            value, position = value + text[position], position + 1
    return None, position
