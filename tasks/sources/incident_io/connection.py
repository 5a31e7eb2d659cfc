"""An incident.io workspace as the HTTP client needs it: its address, its key and its pace."""

from __future__ import annotations

from penstock.connections import BearerAuth, IncidentIoConnection, RateLimit
from tasks.sources.http.limiter import EVERY_REQUEST, Budget
from tasks.sources.http.request import HttpSettings

BASE_URL = "https://api.incident.io"
# API reference, "Rate limits": per API key.
_REQUESTS_PER_MINUTE = 1200


def settings_of(connection_name: str, connection: IncidentIoConnection) -> HttpSettings:
    """Returns a connection as the HTTP client needs it."""
    return HttpSettings(
        connection_name=connection_name,
        base_url=connection.base_url or BASE_URL,
        auth=BearerAuth(kind="bearer", token=connection.api_key),
        budgets={EVERY_REQUEST: Budget(_pace(connection))},
        rights="an API key with the scope to view this resource",
    )


def _pace(connection: IncidentIoConnection) -> RateLimit | None:
    """Returns how often the workspace may be asked; incident.io's limit holds at its own address."""
    default = _REQUESTS_PER_MINUTE if connection.base_url is None else None
    per_minute = connection.requests_per_minute or default
    return RateLimit(requests=per_minute, seconds=60.0) if per_minute else None
