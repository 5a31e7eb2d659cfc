"""Who may call, and how often: bearer tokens, OAuth clients, and the limits of one customer account."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs

from sandbox.rate_limit import RateLimiter
from sandbox.sprout_social.settings import (
    SPROUT_AGENCY_TOKEN,
    SPROUT_CLIENT_ID,
    SPROUT_CLIENT_SECRET,
    SPROUT_CUSTOMER_ID,
    SPROUT_TOKEN,
    SproutLimits,
)
from sandbox.tokens import TokenOffice

TOKEN_LIFETIME = timedelta(hours=1)
_MONTH_SECONDS = 30 * 86_400.0


class CustomerLimits:
    """The limiters of one customer account."""

    def __init__(self, limits: SproutLimits) -> None:
        self._minute = RateLimiter(limits.requests_per_minute, per_seconds=60)
        self._month = RateLimiter(limits.requests_per_month, per_seconds=_MONTH_SECONDS)

    def allows(self) -> bool:
        """Counts a call, and says whether it is within both limits."""
        return self._month.remaining() > 0 and self._minute.try_acquire() and self._month.try_acquire()

    def reset(self) -> None:
        """Forgets the calls so far."""
        self._minute.reset()
        self._month.reset()


def customers_of(
    authorization: str | None, known: tuple[int, ...], *, tokens: TokenOffice, now: datetime
) -> tuple[int, ...] | None:
    """Returns the customers that an Authorization header opens, or None where it is refused."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme != "Bearer":
        return None
    if token == SPROUT_AGENCY_TOKEN:
        return known
    if token == SPROUT_TOKEN or tokens.accepts(token, now):
        return tuple(customer for customer in known if customer == SPROUT_CUSTOMER_ID)
    return None


def grant_token(body: bytes, *, tokens: TokenOffice, now: datetime) -> tuple[int, dict[str, object]]:
    """Answers a client credentials request, whose client is named in the form; returns the status and the JSON."""
    form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", errors="replace")).items()}
    if form.get("grant_type") != "client_credentials":
        return 400, {"error": "unsupported_grant_type"}
    if form.get("scope") != "organization_id":
        return 400, {"error": "invalid_scope"}
    if (form.get("client_id"), form.get("client_secret")) != (SPROUT_CLIENT_ID, SPROUT_CLIENT_SECRET):
        return 401, {"error": "invalid_client"}
    token = tokens.issue(now, TOKEN_LIFETIME)
    return 200, {"access_token": token, "token_type": "Bearer", "expires_in": int(TOKEN_LIFETIME.total_seconds())}
