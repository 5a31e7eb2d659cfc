"""A client of one Google API, for one account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from penstock.connections import GoogleConnection, GoogleServiceAccount, RateLimit
from tasks.sources.google.refusals import reading_refusals
from tasks.sources.google.scopes import Scope
from tasks.sources.google.tokens import GoogleTokens
from tasks.sources.http.client import HttpClient
from tasks.sources.http.failures import Failure
from tasks.sources.http.limiter import EVERY_REQUEST, Budget, shared_limiter
from tasks.sources.http.policy import Clock, RetryPolicy
from tasks.sources.http.request import HttpSettings

# Quotas come back each minute, and no pause is promised: "start 5 s, cap 60-120 s" (Sheets API, Usage limits).
PATIENT = RetryPolicy(first_backoff_seconds=5.0, longest_backoff_seconds=64.0)


class GoogleApi(NamedTuple):
    """One API of Google's.

    Args:
        address: Where it is.
        scope: The right to read it.
        rights: What the credentials need, in words.
        timeout_seconds: How long an answer may take.
        known: What it means by reasons of its own.
    """

    address: str
    scope: Scope
    rights: str
    timeout_seconds: float
    known: dict[str, Failure]


def settings_of(
    connection_name: str,
    connection: GoogleConnection,
    api: GoogleApi,
    *,
    subject: str | None = None,
    budgets: Mapping[str, Budget] | None = None,
) -> HttpSettings:
    """Returns a connection as the HTTP client needs it.

    Args:
        connection_name: Its logical name.
        connection: The account.
        api: What is asked.
        subject: Whom a service account acts for instead of the connection's own subject.
        budgets: What may be asked how often.
    """
    auth = connection.auth
    own = auth.subject if isinstance(auth, GoogleServiceAccount) else None
    return HttpSettings(
        connection_name=connection_name,
        base_url=connection.base_url or api.address,
        credentials=lambda http, clock: GoogleTokens(
            connection, api.scope, subject=subject or own, http=http, connection_name=connection_name, clock=clock
        ),
        refusal=reading_refusals(api.scope, api.known),
        budgets=budgets or {},
        timeout_seconds=api.timeout_seconds,
        rights=api.rights,
    )


def open_client(settings: HttpSettings, *, account: str, clock: Clock) -> HttpClient:
    """Returns a client whose pace is shared by everything that uses the account in this process.

    Args:
        settings: The connection.
        account: Whose quota counts: Google's are per user, and a service account acts for several.
        clock: Time.
    """
    name = f"{settings.connection_name} as {account}"
    limiter = shared_limiter(name, settings.base_url, settings.budgets, clock=clock)
    return HttpClient(settings, policy=PATIENT, clock=clock, limiter=limiter)


def budgets_per_minute(limit: int | None) -> dict[str, Budget]:
    """Returns a budget of so many units in any minute; none without a limit."""
    return {EVERY_REQUEST: Budget(RateLimit(requests=limit, seconds=60.0))} if limit else {}
