"""JSON bodies, read only where something is asked: records stay the bytes that the API sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from penstock.errors import DataError
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.rest.shape import BODY, array_near, describe_object, sort_of

Raw = msgspec.Raw

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_ARRAY = msgspec.json.Decoder(list[Raw])
# JSON allows no control characters inside strings: a line break is layout, whatever it stands in.
_LINE_BREAKS_TO_SPACES = bytes.maketrans(b"\r\n", b"  ")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Group 1 is what may stay: an escaped backslash (which starts no escape) and whole UTF-16 pairs. The rest is half of a
# pair, as JavaScript leaves it when it cuts a text inside an emoji; no reader of JSON lines takes such a record.
_SURROGATES = re.compile(
    rb"(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_REPLACEMENT = rb"\ufffd"
# Begins with a literal, which the engine searches for ten times as fast as for `(?:^|\n)`.
_NOT_AN_OBJECT = re.compile(rb"\n[^{]")

_NOT_JSON = "the body is not JSON"
_NOT_JSON_GUIDANCE = "The API answered with a success status and something else, such as an HTML page or an error text."
_NO_RECORDS = "the body has no array of records there"
_SHAPE_GUIDANCE = "Look at an answer and say where its array of records is in the dataset's `records`."
_OBJECT_GUIDANCE = "Look at an answer: `single_record` is for one object; an array of records is read without it."
_ABSENT_GUIDANCE = "Where an empty page leaves the array out, say `records_may_be_absent: true`."


class JsonBody:
    """An answer's JSON, decoded level by level along the paths that are asked.

    Args:
        content: JSON in UTF-8; `read_body` takes what may be none. Nothing of it is kept in errors.
    """

    def __init__(self, content: bytes) -> None:
        content = content.removeprefix(_BYTE_ORDER_MARK)
        if b"\n" in content or b"\r" in content:
            content = content.translate(_LINE_BREAKS_TO_SPACES)
        self._levels: dict[str, Mapping[str, Raw]] = {}
        self._array: list[Raw] | None = None
        self._whole: Raw | None = None
        self.was_mended = False
        """Whether halves of UTF-16 pairs were replaced by U+FFFD."""
        try:
            self._decode_top(content)
        except msgspec.DecodeError:
            mended = _SURROGATES.sub(lambda escape: escape[1] or _REPLACEMENT, content)
            self.was_mended = mended != content
            self._decode_top(mended)

    def records(self, path: str) -> list[Raw] | None:
        """Returns the array at a path, or None where there is no such key, or null.

        Raises:
            UnreadableBodyError: Something else than an array is there.
        """
        if not path:
            if self._array is None:
                raise self.no_records(path)
            return self._array
        raw = self._find(path)
        if raw is None or _is_null(raw):
            return None
        try:
            return _ARRAY.decode(raw)
        except msgspec.MsgspecError:
            raise self.no_records(path) from None

    def record(self, path: str) -> list[Raw] | None:
        """Returns the object at a path as the only record, or None where there is no such key, or null.

        Raises:
            UnreadableBodyError: Something else than an object is there.
        """
        raw = self._find(path) if path else self._whole
        if raw is None or _is_null(raw):
            return None
        if self._level(path) is None:
            raise UnreadableBodyError(
                "the body has no object there", guidance=_OBJECT_GUIDANCE, records=path or BODY, found=self.found(path)
            )
        return [raw]

    def no_records(self, path: str) -> UnreadableBodyError:
        """Returns the error for a path that leads to no array: what stands there, or how far the path leads."""
        reached, missing = self._reached(path)
        near = self._near(reached, missing)
        guidance = _SHAPE_GUIDANCE
        if self._array is not None:
            guidance = "The body is the array itself: leave the dataset's `records` out."
        elif near is not None:
            guidance = f"Did you mean `records: {near}`?"
        found = self.found(reached)
        if self._array is None and (missing is not None or found == "null"):
            guidance += f" {_ABSENT_GUIDANCE}"
        facts = {"records": path or BODY, "reached": reached or BODY, "found": found}
        return UnreadableBodyError(_NO_RECORDS, guidance=guidance, **facts)

    def found(self, path: str) -> str:
        """Returns what sort of value stands at a path; of an object its keys, never a value."""
        level = self._level(path)
        if level is not None:
            return describe_object(level)
        raw = self._find(path) if path else None
        return "an array" if not path else "nothing" if raw is None else sort_of(raw)

    def value(self, path: str) -> Any:
        """Returns the value at a path as a Python object, None where there is none."""
        raw = self._find(path)
        return None if raw is None else msgspec.json.decode(raw)

    def fields(self) -> Mapping[str, Raw]:
        """Returns the body's own fields as the API's bytes; none where the body is an array."""
        return self._levels.get("", {})

    def has(self, path: str) -> bool:
        """Returns whether there is such a key, whatever its value."""
        return self._find(path) is not None

    def scalars(self, path: str = "", *, depth: int = 3) -> Iterator[tuple[str, Any]]:
        """Yields (path, value) of what is neither an array nor an object, down to a depth of objects in objects."""
        for key, raw in (self._level(path) or {}).items():
            own = f"{path}.{key}" if path else key
            opening = memoryview(raw)[0]
            if opening == ord("{") and depth > 1 and "." not in key:
                yield from self.scalars(own, depth=depth - 1)
            elif opening not in b"{[":
                yield own, msgspec.json.decode(raw)

    def _decode_top(self, content: bytes) -> None:
        if content.lstrip()[:1] == b"[":
            self._array = _ARRAY.decode(content)
        else:
            self._levels[""] = _OBJECT.decode(content)
            self._whole = Raw(content.strip())

    def _find(self, path: str) -> Raw | None:
        parent, _, key = path.rpartition(".")
        level = self._level(parent)
        return None if level is None else level.get(key)

    def _near(self, path: str, missing: str | None) -> str | None:
        """Returns the path that was probably meant, seen from a level downwards, or else from the levels above it."""
        level = self._level(path)
        near = array_near(level, missing) if level is not None else None
        if near is not None:
            return f"{path}.{near}" if path else near
        return self._near(path.rpartition(".")[0], None) if path else None

    def _reached(self, path: str) -> tuple[str, str | None]:
        """Returns the longest beginning of a path that is there, and the key after it; None where all of it is."""
        keys = path.split(".") if path else []
        for depth in range(len(keys)):
            if self._find(".".join(keys[: depth + 1])) is None:
                return ".".join(keys[:depth]), keys[depth]
        return path, None

    def _level(self, path: str) -> Mapping[str, Raw] | None:
        if path not in self._levels:
            raw = self._find(path) if path else None
            if raw is None or memoryview(raw)[0] != ord("{"):
                return None
            self._levels[path] = _OBJECT.decode(raw)
        return self._levels[path]


def read_body(content: bytes) -> JsonBody:
    """Returns an answer's body.

    Raises:
        UnreadableBodyError: It is not JSON in UTF-8.
    """
    try:
        if not content.isascii():
            content.decode("utf-8")
        return JsonBody(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # Without the cause: a decoder's error may hold the text it failed on.
        raise UnreadableBodyError(_NOT_JSON, guidance=_NOT_JSON_GUIDANCE) from None


def join_records(records: Sequence[Raw | bytes]) -> bytes:
    """Returns records as JSON lines, each the API's own bytes, without a line break after the last.

    Raises:
        UnreadableBodyError: An element of the array is not an object.
    """
    lines = b"\n".join(records)
    if records and (lines[:1] != b"{" or _NOT_AN_OBJECT.search(lines)):
        raise UnreadableBodyError(
            "the array holds something else than objects", guidance="Only objects become rows; choose another array."
        )
    return lines


def field_of(record: Raw, path: str) -> Any:
    """Returns a record's field by its dotted path, None where it has none."""
    level: Any = msgspec.json.decode(record)
    for key in path.split("."):
        level = level.get(key) if isinstance(level, dict) else None
    return level


def carry_fields(record: Raw, fields: Mapping[str, bytes]) -> bytes:
    """Returns a record with more fields in front, but those that it has already with the very same value.

    Args:
        record: An object.
        fields: Values as JSON, by name.

    Raises:
        DataError: The record has a field of such a name with another value.
    """
    data = bytes(record)
    own = _OBJECT.decode(record) if any(name.encode() in data for name in fields) else {}
    for name, value in fields.items():
        if name in own and bytes(own[name]) != value:
            raise DataError(
                "records have a field of a name that they shall carry with another value",
                guidance="Give the parent another `name`, or what is carried another column.",
                field=name,
            )
    added = b",".join(b'"%s":%s' % (name.encode(), value) for name, value in fields.items() if name not in own)
    rest = data[1:].lstrip()
    separator = b"" if not added or rest.startswith(b"}") else b","
    return b"{%s%s%s" % (added, separator, rest) if added else data


def _is_null(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:5]) == b"null"
