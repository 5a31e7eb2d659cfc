"""A Gladly organisation as the HTTP client needs it: its address, its credentials and its pace."""

from __future__ import annotations

import re

from penstock.connections import BasicAuth, GladlyConnection, RateLimit
from penstock.errors import ConfigurationError
from tasks.sources.http.limiter import EVERY_REQUEST, Budget
from tasks.sources.http.request import HttpSettings

REPORTS = "reports"
"""Budget of the reports endpoints."""

# Gladly REST API, "Rate Limit": per organisation and for all methods; reports have a limit of their own beside it.
_REQUESTS_PER_SECOND = 10
_REPORTS_PER_MINUTE = 10
# Gladly's own example waits five minutes for a report.
_TIMEOUT_SECONDS = 300.0

_DOMAINS = ("gladly.com", "gladly.qa")
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
# The organisation, and at most one more label: its region.
_HOST = re.compile(rf"({_LABEL}(?:\.{_LABEL})?)\.({'|'.join(map(re.escape, _DOMAINS))})")
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})?")


def base_url(connection: GladlyConnection) -> str:
    """Returns the address below which the API is, on Gladly's own domains unless the connection names another.

    Raises:
        ConfigurationError: The organisation is no name, name with region, or address of Gladly's.
    """
    if connection.base_url is not None:
        return connection.base_url
    text = connection.organization.strip().lower()
    host = re.sub(r"^https://", "", text).split("/", 1)[0]
    if _HOST.fullmatch(host):
        return f"https://{host}/api/v1"
    if host == text and _NAME.fullmatch(host):
        return f"https://{host}.{_DOMAINS[0]}/api/v1"
    raise ConfigurationError(
        "the organisation is not one of Gladly's",
        guidance="Write its name (`acme`), its name and region (`acme.us-1`), or its https address at gladly.com.",
        organization=connection.organization,
    )


def settings_of(connection_name: str, connection: GladlyConnection) -> HttpSettings:
    """Returns a connection as the HTTP client needs it."""
    return HttpSettings(
        connection_name=connection_name,
        base_url=base_url(connection),
        auth=BasicAuth(kind="basic", username=connection.email, password=connection.token),
        budgets=budgets_of(connection),
        timeout_seconds=_TIMEOUT_SECONDS,
        rights="the API User permission in Gladly",
    )


def budgets_of(connection: GladlyConnection) -> dict[str, Budget]:
    """Returns what may be asked how often; Gladly's documented limits hold at Gladly's own addresses."""
    is_gladly = connection.base_url is None
    per_second = connection.requests_per_second or (_REQUESTS_PER_SECOND if is_gladly else None)
    per_minute = connection.reports_per_minute or (_REPORTS_PER_MINUTE if is_gladly else None)
    return {
        EVERY_REQUEST: Budget(RateLimit(requests=per_second) if per_second else None),
        REPORTS: Budget(
            RateLimit(requests=per_minute, seconds=60.0) if per_minute else None, connection.concurrent_reports
        ),
    }
