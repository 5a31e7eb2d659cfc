"""Who may call, and how often: Basic authentication and the limits of one organisation."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.gladly.settings import GLADLY_EMAIL, GLADLY_EMAIL_WITHOUT_API, GLADLY_TOKEN, GladlyLimits
from sandbox.rate_limit import RateLimiter

_USERS_WITH_API = frozenset({GLADLY_EMAIL})
_USERS = _USERS_WITH_API | {GLADLY_EMAIL_WITHOUT_API}


def refuse(authorization: str | None) -> int | None:
    """Returns the status that an Authorization header is refused with, or None where it is accepted."""
    email, token = _read_basic(authorization or "")
    if email not in _USERS or token != GLADLY_TOKEN:
        return 401
    return None if email in _USERS_WITH_API else 403


def _read_basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        email, _, token = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return email, token


class OrganizationLimits:
    """The limiters of one organisation."""

    def __init__(self, limits: GladlyLimits) -> None:
        self.calls = RateLimiter(limits.requests_per_second, per_seconds=1)
        self._reports = RateLimiter(limits.reports_per_minute, per_seconds=60)
        self._concurrent = limits.concurrent_reports
        self._running = 0

    def headers(self) -> dict[str, str]:
        """Returns the headers that every response carries."""
        return {
            "Ratelimit-Limit-Second": str(self.calls.limit),
            "Ratelimit-Remaining-Second": str(self.calls.remaining()),
        }

    @contextmanager
    def report(self) -> Iterator[bool]:
        """Counts a report while the block runs; yields whether it is within the limits."""
        allowed = self._running < self._concurrent and self._reports.try_acquire()
        self._running += allowed
        try:
            yield allowed
        finally:
            self._running -= allowed

    def reset(self) -> None:
        """Forgets the calls so far."""
        self.calls.reset()
        self._reports.reset()
