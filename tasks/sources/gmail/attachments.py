"""Attachments as files of the batch, which staging treats like any other file."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import msgspec

from penstock.artifacts import FileFormat, OriginalFile
from penstock.errors import PenstockError
from penstock.sources.tabular import TabularFormat
from tasks.sources.contract import ExtractSink
from tasks.sources.gmail.api import attachment_request
from tasks.sources.gmail.choosing import chosen_parts
from tasks.sources.gmail.message import Body, MessageRead, Part
from tasks.sources.gmail.reading import Mailbox
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.tabular.converting import loadable_dialect, needs_conversion
from tasks.sources.tabular.formats import format_of
from tasks.sources.tabular.loading import load_original

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
            key = f"{prefix}{message.id}/{name}"
            data = _bytes_of(mailbox, message.id, part)
            try:
                _write_file(sink, key, data, mailbox)
            except PenstockError as error:
                error.facts |= {"connection": mailbox.client.connection_name, "source_name": key}
                raise

    for _ in mailbox.each_message({"format": "full"}, write):
        pass


def _write_file(sink: ExtractSink, key: str, data: bytes, mailbox: Mailbox) -> None:
    """Writes an attachment as it is, or keeps it and makes of it what a warehouse can COPY."""
    dataset = mailbox.dataset
    if needs_conversion(key, dataset):
        with sink.write_original(key) as kept:
            kept.write(data)
        original = OriginalFile(store=mailbox.client.connection_name, key=key, size_bytes=len(data))
        load_original(sink, original, dataset)
        return
    found, _ = format_of(key, declared=dataset.format)
    dialect = loadable_dialect(dataset) if found is TabularFormat.CSV else None
    with sink.open_file(key, format=FileFormat(found), dialect=dialect, source_name=key) as file:
        # Whoever wrote the file knows how many rows it has; the warehouse counts them.
        file.write(data, None)


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
