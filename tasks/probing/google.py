"""Whether a Google account can read what pipelines read through it."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import GoogleConnection
from penstock.sources.base import DatasetSpec
from penstock.sources.gmail import GmailDataset
from penstock.sources.google_sheets import SheetsDataset
from tasks.probing.asking import ask_once
from tasks.probing.contract import Seen
from tasks.sources.gmail.api import GMAIL, profile_request
from tasks.sources.google.client import settings_of
from tasks.sources.google_sheets.api import SHEETS, layout_request


def probe(name: str, connection: GoogleConnection, datasets: Sequence[DatasetSpec], *, timeout_seconds: float) -> Seen:
    """Asks for each mailbox's profile and each spreadsheet's title, the least that needs the same rights."""
    mailboxes = list(dict.fromkeys(subject for one in datasets for subject in _mailboxes(one)))
    spreadsheets = list(dict.fromkeys(one.spreadsheet for one in datasets if isinstance(one, SheetsDataset)))
    for subject in mailboxes:
        ask_once(settings_of(name, connection, GMAIL, subject=subject), profile_request(), timeout_seconds)
    for spreadsheet in spreadsheets:
        ask_once(settings_of(name, connection, SHEETS), layout_request(spreadsheet), timeout_seconds)
    counts = ((len(mailboxes), "mailbox", "mailboxes"), (len(spreadsheets), "spreadsheet", "spreadsheets"))
    seen = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    return Seen(f"reads {' and '.join(seen)}" if seen else "nothing is read through it")


def _mailboxes(dataset: DatasetSpec) -> Sequence[str | None]:
    if not isinstance(dataset, GmailDataset):
        return ()
    return dataset.mailboxes or (None,)
