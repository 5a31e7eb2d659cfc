"""One message as the API gives it: its headers as columns, and its MIME parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Any, NamedTuple

import msgspec

from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.rest.body import Raw, read_body

HEADERS = {"Subject": "subject", "From": "from", "To": "to", "Cc": "cc", "Date": "date", "Message-ID": "messageId"}
"""The headers that become columns, and what those are called before bronze's own rules."""

# The body, which is not ours to keep; `raw` and `payload` hold it.
_LEFT_OUT = frozenset({"payload", "raw", "snippet"})
# Deeper than any mail client nests; a message may be made to exhaust the stack.
_DEEPEST = 50
_WORD = r"=\?[^?\s]+\?[bBqQ]\?[^?]*\?="
_ENCODED_WORDS = re.compile(rf"{_WORD}(?:\s+{_WORD})*")
_HALVES = re.compile("[\ud800-\udfff]")
_GUIDANCE = "The API answered with a success status and something else than a message."


class Header(msgspec.Struct):
    """One header of a part."""

    name: str = ""
    value: str = ""


class Body(msgspec.Struct, rename="camel"):
    """A part's bytes, or where they are."""

    attachment_id: str | None = None
    data: str | None = None
    size: int = 0


class Part(msgspec.Struct, rename="camel"):
    """One MIME part (`MessagePart`)."""

    part_id: str = ""
    mime_type: str = ""
    filename: str | None = None
    headers: list[Header] | None = None
    body: Body = msgspec.field(default_factory=Body)
    parts: list[Part] | None = None

    def header(self, name: str) -> str:
        """Returns a header's text, all of its occurrences joined; empty where there is none."""
        return ", ".join(one.value for one in self.headers or () if one.name.lower() == name.lower())

    @property
    def is_attachment(self) -> bool:
        """Whether somebody attached it as a file: not the text, and no image that the text shows."""
        if not self.filename and self.body.attachment_id is None:
            return False
        disposition = self.header("Content-Disposition").split(";")[0].strip().lower()
        is_shown = disposition == "inline" or (not disposition and bool(self.header("Content-ID")))
        return not (is_shown and self.mime_type.lower().startswith("image/"))


class MessageRead(NamedTuple):
    """A message, and the fields that a row takes from it as they are."""

    id: str
    internal_date: str
    payload: Part
    fields: dict[str, Raw]


def read_message(content: bytes) -> MessageRead:
    """Reads an answer as a message.

    Raises:
        UnreadableBodyError: It is none.
    """
    body = read_body(content)
    try:
        internal_date = str(int(str(body.value("internalDate"))))
        payload = msgspec.convert(body.value("payload") or {}, Part)
        return MessageRead(msgspec.convert(body.value("id"), str), internal_date, payload, dict(body.fields()))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnreadableBodyError("the answer is not a message", guidance=_GUIDANCE) from None


def row_of(message: MessageRead, mailbox: str, *, with_snippet: bool) -> bytes:
    """Returns a message as a JSON record: the API's own fields without its content, then the headers decoded."""
    left_out = _LEFT_OUT - {"snippet"} if with_snippet else _LEFT_OUT
    record: dict[str, Any] = {"mailbox": mailbox}
    record |= {name: value for name, value in message.fields.items() if name not in left_out}
    for header, column in HEADERS.items():
        record[column] = decode_words(message.payload.header(header)) or None
    return msgspec.json.encode(record)


def parts_of(part: Part, depth: int = 0) -> Iterator[Part]:
    """Yields a part and all parts in it, outer ones first."""
    yield part
    if depth < _DEEPEST:
        for inner in part.parts or ():
            yield from parts_of(inner, depth + 1)


def filename_of(part: Part) -> str:
    """Returns the name that the sender gave a file, or one from its place in the message."""
    return decode_words(part.filename or "") or f"part-{part.part_id}"


def decode_words(text: str) -> str:
    """Returns a header with its encoded words (RFC 2047) decoded; what is malformed stays as it is.

    The API decodes most of them itself. A charset that does not exist, or that its bytes do not keep to, costs the
    letters that cannot be read, and not the message.
    """
    return _ENCODED_WORDS.sub(_decode_run, text)


def _decode_run(words: re.Match[str]) -> str:
    """Decodes words that follow each other together: a letter's bytes may be spread over two of them."""
    try:
        return "".join(_decode(piece, charset) for piece, charset in decode_header(words[0]))
    except (HeaderParseError, ValueError):
        return words[0]


def _decode(piece: bytes | str, charset: str | None) -> str:
    if isinstance(piece, str):
        return piece
    try:
        found = piece.decode(charset or "ascii", errors="replace")
    except LookupError:
        found = piece.decode("utf-8", errors="replace")
    # UTF-7 can write half of a UTF-16 pair, which nothing else can.
    return _HALVES.sub("\N{REPLACEMENT CHARACTER}", found)
