from __future__ import annotations

import base64
import csv
import io
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx

from penstock.artifacts import Interval
from penstock.connections import GoogleConnection
from sandbox.google.settings import (
    GOOGLE_CLIENT_SECRET,
    GOOGLE_REFRESH_TOKEN,
    SUPPORT_MAILBOX,
)
from tests.contract.source_cases.case import Case, Place, Row
from tests.fakes.google_api import ask, refresh_token_connection, service_account_connection, sign_in


def _connect(place: Place, secret: str | None) -> GoogleConnection:
    return refresh_token_connection(place.sandbox.url, refresh_token=secret or GOOGLE_REFRESH_TOKEN)


def _delegate(place: Place, secret: str | None) -> GoogleConnection:
    key = {"private_key_id": secret} if secret else {}
    return service_account_connection(place.sandbox.url, subject=SUPPORT_MAILBOX, **key)


def _messages(place: Place, interval: Interval, *, mailbox: str = "", **asked: str) -> Iterator[dict[str, Any]]:
    """Whole messages, asked one by one after a look at all that ever arrived."""
    start, end = (int(moment.timestamp() * 1000) for moment in interval.bounds())
    with httpx.Client(headers=sign_in(place.sandbox.url, subject=mailbox), timeout=30) as client:
        base = f"{place.sandbox.url}/google/gmail/v1/users/me"
        found = ask(client, f"{base}/messages", maxResults=500, q=f"after:{start // 1000 - 90_000}")["messages"]
        for one in found:
            message = ask(client, f"{base}/messages/{one['id']}", **asked)
            if start <= int(message["internalDate"]) < end:
                yield message | {"client": client, "url": f"{base}/messages/{one['id']}"}


def _rows(place: Place, interval: Interval, mailbox: str = "") -> list[Row]:
    kept = ("id", "threadId", "labelIds", "historyId", "internalDate", "sizeEstimate")
    rows = []
    address = mailbox or "operations@warbyparker.example.com"
    for message in _messages(place, interval, mailbox=mailbox):
        headers = {header["name"]: header["value"] for header in message["payload"]["headers"]}
        subject = headers.get("Subject")
        if subject and subject.startswith("=?utf-8"):
            subject = subject.replace("=?utf-8?Q?Fwd=3A_CSAT_=E2=80=93_corrected?=", "Fwd: CSAT \N{EN DASH} corrected")
        if subject and subject.startswith("=?x-martian"):
            subject = subject.removeprefix("=?x-martian?Q?").removesuffix("?=").replace("_", " ")
        named = {"from": "From", "to": "To", "cc": "Cc", "date": "Date", "messageId": "Message-ID"}
        row = {"mailbox": address, **{name: message[name] for name in kept}, "subject": subject}
        rows.append(row | {column: headers.get(header) for column, header in named.items()})
    return rows


def _answers(place: Place, interval: Interval) -> list[Row]:
    found: list[Row] = []
    for message in _messages(place, interval):
        for part in message["payload"].get("parts", []):
            if part["filename"].endswith(".csv"):
                body = part["body"]
                if "attachmentId" in body:
                    body = ask(message["client"], f"{message['url']}/attachments/{body['attachmentId']}")
                text = base64.urlsafe_b64decode(body["data"] + "==").decode()
                found += csv.DictReader(io.StringIO(text, newline=""))
    return found


_case = partial(
    Case,
    kind="gmail",
    secrets=(GOOGLE_CLIENT_SECRET, GOOGLE_REFRESH_TOKEN, "PRIVATE KEY", "ya29."),
    path="/google/gmail/*",
    token_path="/google/token",
)

CASES = {
    "gmail-messages": _case(
        dataset={"resource": "messages"}, connect=_connect, truth=_rows, column="sizeEstimate", has_late_rows=True
    ),
    "gmail-messages-delegated": _case(
        dataset={"resource": "messages"},
        connect=_delegate,
        truth=partial(_rows, mailbox=SUPPORT_MAILBOX),
        has_late_rows=True,
    ),
    "gmail-attachments": _case(
        dataset={"resource": "attachments", "filenames": ["csat_????-??-??.csv"], "query": "from:reports"},
        connect=_connect,
        truth=_answers,
        counts_rows=False,
    ),
}
