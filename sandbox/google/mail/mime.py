"""MIME trees, and how Gmail writes them: parts numbered from the outside, bodies in URL-safe base64."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

# Gmail puts small attachments into the message itself.
INLINED_BYTES = 400


@dataclass(frozen=True)
class MimePart:
    """One part.

    Args:
        mime_type: Such as `text/csv`.
        content: Its bytes; none for a multipart.
        filename: As the sender wrote it.
        headers: Beside those that every part has.
        parts: Of a multipart.
    """

    mime_type: str
    content: bytes = b""
    filename: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    parts: tuple[MimePart, ...] = field(default=())

    def walk(self, part_id: str = "") -> Iterator[tuple[str, MimePart]]:
        """Yields all parts with their ids; the outermost has none, the next `0`, `1`, then `0.0`, `0.1`."""
        yield part_id, self
        for number, part in enumerate(self.parts):
            yield from part.walk(f"{part_id}.{number}" if part_id else str(number))


def attachment(filename: str, mime_type: str, content: bytes) -> MimePart:
    """Returns a part that is attached as a file."""
    disposition = ("Content-Disposition", f'attachment; filename="{filename}"')
    return MimePart(mime_type, content, filename, (disposition,))


def write_payload(root: MimePart, headers: list[dict[str, str]], attachment_id: Callable[[str], str]) -> dict[str, Any]:
    """Returns `payload` as `format=full` has it.

    Args:
        root: The outermost part.
        headers: The message's own.
        attachment_id: Makes an id for a part's bytes; another one each time, as Gmail's are.
    """
    return _write_part(root, "", headers, attachment_id)


def encode(content: bytes) -> str:
    """Returns bytes in URL-safe base64, without padding as Gmail often has it."""
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def _write_part(
    part: MimePart, part_id: str, headers: list[dict[str, str]], attachment_id: Callable[[str], str]
) -> dict[str, Any]:
    own = [{"name": name, "value": value} for name, value in part.headers]
    body: dict[str, Any] = {"size": len(part.content)}
    if part.content and (part.filename or "Content-ID" in dict(part.headers)) and len(part.content) > INLINED_BYTES:
        body["attachmentId"] = attachment_id(part_id)
    elif part.content:
        body["data"] = encode(part.content)
    written: dict[str, Any] = {
        "partId": part_id,
        "mimeType": part.mime_type,
        "filename": part.filename,
        "headers": [*headers, *own],
        "body": body,
    }
    if part.parts:
        written["parts"] = [
            _write_part(inner, f"{part_id}.{number}" if part_id else str(number), [], attachment_id)
            for number, inner in enumerate(part.parts)
        ]
    return written
