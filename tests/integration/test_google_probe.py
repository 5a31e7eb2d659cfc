"""What `penstock doctor` asks of a Google account: as little as needs the same rights as a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock.errors import RejectedError
from penstock.sources.base import DatasetSpec
from penstock.sources.gmail import GmailDataset
from penstock.sources.google_sheets import SheetsDataset
from sandbox.google.settings import (
    GOOGLE_METADATA_REFRESH_TOKEN,
    OPERATIONS_MAILBOX,
    PRIVATE_SPREADSHEET,
    ROSTER_SPREADSHEET,
    SUPPORT_MAILBOX,
)
from sandbox.server import Sandbox, serve
from tasks.probing.registry import probe_connection
from tests.fakes.google_api import refresh_token_connection, service_account_connection

MAIL = GmailDataset(name="mail", resource="messages")
OF_BOTH = GmailDataset(name="both", resource="messages", mailboxes=(OPERATIONS_MAILBOX, SUPPORT_MAILBOX))
ROSTER = SheetsDataset(name="roster", spreadsheet=ROSTER_SPREADSHEET, sheets=("Agents",))
PRIVATE = SheetsDataset(name="private", spreadsheet=PRIVATE_SPREADSHEET, sheets=("Agents",))


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    return server


def test_each_mailbox_and_each_spreadsheet_is_asked_for_once(sandbox: Sandbox) -> None:
    datasets: list[DatasetSpec] = [MAIL, MAIL, ROSTER, ROSTER]
    seen = probe_connection("acme-google", refresh_token_connection(sandbox.url), datasets, timeout_seconds=30)
    assert seen.note == "reads 1 mailbox and 1 spreadsheet"
    asked = [request.path for request in sandbox.log.requests() if not request.path.endswith("/token")]
    assert asked == ["/google/gmail/v1/users/me/profile", f"/google/v4/spreadsheets/{ROSTER_SPREADSHEET}"]


def test_each_mailbox_is_asked_for_as_its_owner(sandbox: Sandbox) -> None:
    connection = service_account_connection(sandbox.url)
    seen = probe_connection("acme-google", connection, [OF_BOTH], timeout_seconds=30)
    assert seen.note == "reads 2 mailboxes"
    assert len(sandbox.log.requests("/google/token")) == 2


def test_an_account_through_which_nothing_is_read_is_not_asked(sandbox: Sandbox) -> None:
    seen = probe_connection("acme-google", refresh_token_connection(sandbox.url), [], timeout_seconds=30)
    assert seen.note == "nothing is read through it"
    assert sandbox.log.requests() == []


@pytest.mark.parametrize(("dataset", "guidance"), [(MAIL, "gmail.readonly"), (PRIVATE, "share it")])
def test_a_right_that_is_missing_is_named(sandbox: Sandbox, dataset: DatasetSpec, guidance: str) -> None:
    changed = {"refresh_token": GOOGLE_METADATA_REFRESH_TOKEN} if dataset is MAIL else {}
    connection = refresh_token_connection(sandbox.url, **changed)
    with pytest.raises(RejectedError, match=guidance):
        probe_connection("acme-google", connection, [dataset], timeout_seconds=30)
