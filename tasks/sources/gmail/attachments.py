"""Attachments as files of the batch, which staging treats like any other file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from penstock.artifacts import Compression
from penstock.errors import ConfigurationError, DataError
from tasks.sources.contract import ExtractSink
from tasks.sources.gmail.api import attachment_request
from tasks.sources.gmail.choosing import chosen_parts, is_meant_member
from tasks.sources.gmail.message import Body, MessageRead, Part
from tasks.sources.gmail.reading import Mailbox
from tasks.sources.gmail.unpack import Allowance, unpack
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.s3_files import format_of

if TYPE_CHECKING:
    import httpx

_CUT = "The answer was cut off on its way; run again."


def write_attachments(mailbox: Mailbox, sink: ExtractSink, *, prefix: str) -> None:
    """Writes the chosen attachments of a mailbox.

    Args:
        mailbox: Whose messages are read.
        sink: Takes the files; `_source_file` is `[<mailbox>/]<message id>/<file name>[/<file in an archive>]`.
        prefix: What tells mailboxes apart in it.

    Raises:
        ConfigurationError: A chosen file's ending does not say its format.
        DataError: An archive is damaged, encrypted, or holds more than allowed.
    """
    for skipped in mailbox.each_message({"format": "full"}, lambda message: _write(mailbox, message, sink, prefix)):
        for name in skipped:
            sink.warn(f"{name} is in an archive and no file that can be loaded: left out")


def _write(mailbox: Mailbox, message: MessageRead, sink: ExtractSink, prefix: str) -> list[str]:
    """Writes a message's attachments and returns what was left out."""
    skipped: list[str] = []
    for name, part in chosen_parts(message.payload, mailbox.dataset):
        source_name = f"{prefix}{message.id}/{name}"
        try:
            skipped += _write_file(mailbox, source_name, name, _bytes_of(mailbox, message.id, part), sink)
        except DataError as error:
            error.facts = {"connection": mailbox.client.connection_name, "source_name": source_name, **error.facts}
            raise
    return skipped


def _write_file(mailbox: Mailbox, source_name: str, name: str, data: bytes, sink: ExtractSink) -> Iterator[str]:
    dataset = mailbox.dataset
    place = source_name.removesuffix(name)
    is_archive = name.lower().endswith(".zip")
    for unpacked in unpack(name, data, Allowance(dataset.maximum_unpacked_bytes)):
        member = unpacked.name.removeprefix(f"{name}/")
        if is_archive and not is_meant_member(member, dataset.members):
            continue
        if is_archive and dataset.format is None and not _is_loadable(member):
            yield f"{place}{unpacked.name}"
            continue
        file_format, _ = format_of(unpacked.name, declared=dataset.format)
        key = f"{place}{unpacked.name}".replace("/", "-")
        with sink.open_file(
            key, format=file_format, dialect=dataset.dialect, source_name=f"{place}{unpacked.name}"
        ) as file:
            for piece in unpacked.pieces:
                # Whoever wrote the file knows how many rows it has; the warehouse counts them.
                file.write(piece, None)


def _is_loadable(path: str) -> bool:
    try:
        _, compression = format_of(path, declared=None)
    except ConfigurationError:
        return False
    return compression is Compression.NONE


def _bytes_of(mailbox: Mailbox, message_id: str, part: Part) -> bytes:
    """Returns an attachment's bytes: small ones may stand in the message itself."""
    if part.body.data is not None or part.body.attachment_id is None:
        return decode_data(part.body)
    request = attachment_request(message_id, part.body.attachment_id)
    return mailbox.client.fetch(request, _read_attachment)


def _read_attachment(response: httpx.Response) -> bytes:
    try:
        body = msgspec.json.decode(response.read(), type=Body)
    except msgspec.MsgspecError:
        raise UnreadableBodyError(
            "the answer is not an attachment", guidance="The API answered with a success status and something else."
        ) from None
    return decode_data(body)


def decode_data(body: Body) -> bytes:
    """Returns bytes from URL-safe base64, which may lack its padding.

    Raises:
        UnreadableBodyError: It is no base64, or not as much as stated.
    """
    text = (body.data or "").rstrip("=")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableBodyError("the attachment is not in base64", guidance=_CUT) from None
    if len(data) != body.size:
        raise UnreadableBodyError(
            "the attachment is not as long as stated", guidance=_CUT, size_bytes=len(data), stated_bytes=body.size
        )
    return data
