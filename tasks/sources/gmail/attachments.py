"""Attachments as files of the batch, which staging treats like any other file."""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING

import msgspec

from penstock.errors import PenstockError
from tasks.sources.contract import ExtractSink
from tasks.sources.gmail.api import attachment_request
from tasks.sources.gmail.choosing import chosen_parts
from tasks.sources.gmail.message import Body, MessageRead, Part
from tasks.sources.gmail.reading import Mailbox
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.tabular.converting import convert

if TYPE_CHECKING:
    import httpx

_CUT = "The answer was cut off on its way; run again."


def write_attachments(mailbox: Mailbox, sink: ExtractSink, *, prefix: str) -> None:
    """Writes the chosen attachments of a mailbox.

    Args:
        mailbox: Whose messages are read.
        sink: Takes the files; `_source_file` is `[<mailbox>/]<message id>/<file name>[#<sheet or member>]`.
        prefix: What tells mailboxes apart in it.

    Raises:
        ConfigurationError: A chosen file's ending does not say its format.
        DataError: A file is not what it is said to be.
    """

    def write(message: MessageRead) -> None:
        for name, part in chosen_parts(message.payload, mailbox.dataset):
            data = _bytes_of(mailbox, message.id, part)
            _write_file(sink, f"{prefix}{message.id}/{name}", name, data, mailbox)

    for _ in mailbox.each_message({"format": "full"}, write):
        pass


def _write_file(sink: ExtractSink, source_name: str, name: str, data: bytes, mailbox: Mailbox) -> None:
    """Writes an attachment as the files that a warehouse can COPY: an archive or a workbook may hold several."""
    place = source_name.removesuffix(name)
    try:
        for loadable in convert(io.BytesIO(data), name, mailbox.dataset):
            with sink.open_file(
                f"{place}{loadable.name}".replace("/", "-"),
                format=loadable.format,
                compression=loadable.compression,
                dialect=loadable.dialect,
                source_name=f"{source_name}#{loadable.part}" if loadable.part else source_name,
            ) as file:
                for block in loadable.blocks:
                    file.write(block.data, block.row_count)
    except PenstockError as error:
        error.facts |= {"connection": mailbox.client.connection_name, "source_name": source_name}
        raise


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
