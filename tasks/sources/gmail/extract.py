"""Extracts the messages of mailboxes, or the files attached to them."""

from __future__ import annotations

from typing import cast

from penstock.connections import GoogleConnection, GoogleServiceAccount
from penstock.errors import ConfigurationError
from penstock.sources.gmail import GmailDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.gmail.api import GMAIL, gmail_budgets, profile_request
from tasks.sources.gmail.attachments import write_attachments
from tasks.sources.gmail.message import HEADERS, row_of
from tasks.sources.gmail.reading import Mailbox
from tasks.sources.google.client import open_client, settings_of
from tasks.sources.http.client import HttpClient
from tasks.sources.http.failures import UnreadableBodyError
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.rest.body import read_body
from tasks.sources.rest.files import JsonLinesFiles

_ME = "me"


def extract(
    request: ExtractRequest, connection: GoogleConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    dataset = cast("GmailDataset", request.dataset)
    is_delegated = isinstance(connection.auth, GoogleServiceAccount)
    if dataset.mailboxes and not is_delegated:
        raise ConfigurationError(
            "a person's consent opens that person's own mailbox only",
            guidance="Leave the dataset's `mailboxes` out, or use a service account with domain-wide delegation.",
            connection=request.connection_name,
        )
    with JsonLinesFiles(sink, "messages") as files:
        for subject in dataset.mailboxes or (_own_mailbox(connection),):
            settings = settings_of(
                request.connection_name,
                connection,
                GMAIL,
                subject=subject if is_delegated else None,
                budgets=gmail_budgets(connection),
            )
            with open_client(settings, account=subject or _ME, clock=clock) as client:
                name = subject or _address(client)
                mailbox = Mailbox(client, name, dataset, request.interval)
                if dataset.resource == "messages":
                    _write_messages(mailbox, files)
                else:
                    write_attachments(mailbox, sink, prefix=f"{name}/" if dataset.mailboxes else "")
            if mailbox.vanished:
                sink.warn(f"messages of {name} that were gone when they were asked for: {mailbox.vanished}")


def _own_mailbox(connection: GoogleConnection) -> str | None:
    return connection.auth.subject if isinstance(connection.auth, GoogleServiceAccount) else None


def _address(client: HttpClient) -> str:
    """Returns whose mailbox a consent opened."""
    return client.fetch(profile_request(), lambda answer: _read_address(answer.read()))


def _read_address(content: bytes) -> str:
    address = read_body(content).value("emailAddress")
    if not isinstance(address, str):
        raise UnreadableBodyError(
            "the answer is no profile", guidance="The API answered with a success status and something else."
        )
    return address


def _write_messages(mailbox: Mailbox, files: JsonLinesFiles) -> None:
    # Without the text: `metadata` sends headers alone, and of these the ones that become columns.
    asked = {"format": "metadata", "metadataHeaders": list(HEADERS)}
    with_snippet = mailbox.dataset.snippet
    for row in mailbox.each_message(asked, lambda one: row_of(one, mailbox.name, with_snippet=with_snippet)):
        files.write(row, 1)
