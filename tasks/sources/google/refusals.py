"""What Google's APIs mean by a refusal: the status alone does not tell a quota from a right that is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from penstock.errors import RateLimitedError, RejectedError
from tasks.sources.google.scopes import Scope
from tasks.sources.http.failures import Failure

_PAUSE = Failure(
    RateLimitedError, "the API's quota is used up for now", "Run again later, or ask Google for a higher quota."
)
_NOT_ENABLED = Failure(
    RejectedError,
    "the API is not enabled in the credentials' Cloud project",
    "Enable it there, under APIs & Services; that takes a few minutes to be known everywhere.",
)
_POLICY = Failure(
    RejectedError,
    "the domain's administrators do not allow this API",
    "Have a Workspace administrator allow it for this account or this app.",
)

# Google answers a used-up quota with 403 or 429, and names it in `reason` ("Resolve errors", Gmail API).
_BY_REASON = {
    "rateLimitExceeded": _PAUSE,
    "userRateLimitExceeded": _PAUSE,
    "RATE_LIMIT_EXCEEDED": _PAUSE,
    "accessNotConfigured": _NOT_ENABLED,
    "SERVICE_DISABLED": _NOT_ENABLED,
    "domainPolicy": _POLICY,
}
_SCOPE_REASONS = frozenset({"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"})


class _Detail(msgspec.Struct):
    reason: Any = None


class _Error(msgspec.Struct):
    status: Any = None
    errors: list[_Detail] = []
    details: list[_Detail] = []


class _Body(msgspec.Struct):
    error: _Error


def reading_refusals(scope: Scope, known: dict[str, Failure]) -> Callable[[int, bytes], Failure | None]:
    """Returns what reads refusals for `HttpSettings.refusal`.

    Args:
        scope: What the source asks for.
        known: What an API means by its own reasons and statuses, such as `failedPrecondition`.
    """
    lacking = Failure(
        RejectedError,
        "the token does not cover what this source reads",
        f"Authorise the account for the scope {scope.address}.",
    )
    failures = {**_BY_REASON, **dict.fromkeys(_SCOPE_REASONS, lacking), **known}

    def read(_status: int, content: bytes) -> Failure | None:
        return next((failures[reason] for reason in _reasons(content) if reason in failures), None)

    return read


def _reasons(content: bytes) -> list[str]:
    """Returns the reasons that an error states, the most exact first; none where it is no error of Google's."""
    try:
        error = msgspec.json.decode(content, type=_Body).error
    except msgspec.MsgspecError:
        return []
    stated = [*(detail.reason for detail in (*error.details, *error.errors)), error.status]
    return [reason for reason in stated if isinstance(reason, str)]
