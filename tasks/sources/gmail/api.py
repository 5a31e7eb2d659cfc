"""Gmail API v1: its address, its quota, and how its questions are put."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from penstock.connections import GoogleConnection
from penstock.errors import RejectedError
from tasks.sources.google.client import GoogleApi, budgets_per_minute
from tasks.sources.google.scopes import READ_MAIL
from tasks.sources.http.failures import Failure
from tasks.sources.http.limiter import Budget
from tasks.sources.http.request import HttpRequest

# Per user, of projects made since May 2026; older ones have more ("Usage limits", Gmail API).
_UNITS_PER_MINUTE = 6_000
_LIST_UNITS = 5
_GET_UNITS = 20
_LABELS_UNITS = 1

ATTACHMENTS = "attachments"
"""Budget of attachments on their way; each may be 25 MB, and is in memory three times while it is decoded."""

_ATTACHMENTS_AT_ONCE = 2
_PAGE_SIZE = 500

GMAIL = GoogleApi(
    address="https://gmail.googleapis.com",
    scope=READ_MAIL,
    rights=f"the scope {READ_MAIL.address}",
    timeout_seconds=120.0,
    known={
        "failedPrecondition": Failure(
            RejectedError,
            "the account has no mailbox",
            "A service account has none of its own: set the connection's `subject`, or the dataset's `mailboxes`.",
        ),
    },
)


def gmail_budgets(connection: GoogleConnection) -> dict[str, Budget]:
    """Returns a mailbox's budgets; Google's limits hold at Google's own address."""
    units = connection.gmail_units_per_minute or (_UNITS_PER_MINUTE if connection.base_url is None else None)
    return {**budgets_per_minute(units), ATTACHMENTS: Budget(concurrent=_ATTACHMENTS_AT_ONCE)}


def list_request(parameters: dict[str, Any]) -> HttpRequest:
    """Returns the question which messages there are."""
    url = "/gmail/v1/users/me/messages"
    asked = {"maxResults": _PAGE_SIZE, **parameters}
    return HttpRequest(url, "users.messages.list", parameters=asked, cost=_LIST_UNITS)


def message_request(message_id: str, parameters: dict[str, Any]) -> HttpRequest:
    """Returns the question for one message."""
    url = f"/gmail/v1/users/me/messages/{quote(message_id, safe='')}"
    return HttpRequest(url, "users.messages.get", parameters=parameters, cost=_GET_UNITS)


def attachment_request(message_id: str, attachment_id: str) -> HttpRequest:
    """Returns the question for an attachment's bytes."""
    message, attachment = quote(message_id, safe=""), quote(attachment_id, safe="")
    url = f"/gmail/v1/users/me/messages/{message}/attachments/{attachment}"
    return HttpRequest(url, "users.messages.attachments.get", budget=ATTACHMENTS, cost=_GET_UNITS)


def labels_request() -> HttpRequest:
    """Returns the question which labels a mailbox has."""
    return HttpRequest("/gmail/v1/users/me/labels", "users.labels.list", cost=_LABELS_UNITS)


def profile_request() -> HttpRequest:
    """Returns the question whose mailbox it is."""
    return HttpRequest("/gmail/v1/users/me/profile", "users.getProfile", cost=_LABELS_UNITS)
