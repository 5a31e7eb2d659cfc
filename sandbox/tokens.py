"""Issues and checks OAuth access tokens, whose life is counted on the sandbox's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock

from sandbox.seeded import identifier


class TokenOffice:
    """The access tokens that are valid now."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._expiries: dict[str, datetime] = {}
        self._issued = 0

    def issue(self, now: datetime, lifetime: timedelta) -> str:
        """Returns a new token that is valid until `now + lifetime`."""
        with self._lock:
            self._issued += 1
            token = identifier("access-token", self._issued)
            self._expiries[token] = now + lifetime
        return token

    def accepts(self, token: str, now: datetime) -> bool:
        """Returns whether a token was issued, is not revoked and has not expired."""
        with self._lock:
            expiry = self._expiries.get(token)
        return expiry is not None and now < expiry

    def revoke_all(self) -> None:
        """Makes every token issued so far invalid."""
        with self._lock:
            self._expiries.clear()
