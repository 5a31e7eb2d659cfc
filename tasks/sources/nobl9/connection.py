"""A Nobl9 organisation as the HTTP client needs it: its address, its token endpoint, and its pace."""

from __future__ import annotations

from penstock.connections import Nobl9Connection, OAuth2Auth, RateLimit
from tasks.sources.http.limiter import EVERY_REQUEST, Budget
from tasks.sources.http.request import HttpSettings

BASE_URL = "https://app.nobl9.com/api"
# docs.nobl9.com, "SLO Status API": per organisation.
_REQUESTS_PER_SECOND = 10
# Of an access token; the answer does not say it.
_LIFETIME_SECONDS = 3600.0


def settings_of(connection_name: str, connection: Nobl9Connection) -> HttpSettings:
    """Returns a connection as the HTTP client needs it.

    The token endpoint takes the access key as HTTP Basic and no form; it and all others want the organisation's header.
    """
    base_url = (connection.base_url or BASE_URL).rstrip("/")
    organization = {"Organization": connection.organization}
    pace = RateLimit(requests=_REQUESTS_PER_SECOND) if connection.base_url is None else None
    return HttpSettings(
        connection_name=connection_name,
        base_url=base_url,
        auth=OAuth2Auth(
            kind="oauth2",
            token_url=f"{base_url}/accessToken",
            client_id=connection.client_id,
            client_secret=connection.client_secret,
            secret_in="header",  # noqa: S106 - a place, not a secret
            grant_type=None,
            headers={**organization, "Accept": "application/json; version=v1alpha"},
            lifetime_seconds=_LIFETIME_SECONDS,
        ),
        headers=organization,
        budgets={EVERY_REQUEST: Budget(pace)},
        rights="an access key that may view this organisation's SLOs",
    )
