"""A Datadog organisation as the HTTP client needs it: its site's address and its two keys."""

from __future__ import annotations

from penstock.connections import ApiKeyPairAuth, DatadogSloConnection
from tasks.sources.http.request import HttpSettings


def settings_of(connection_name: str, connection: DatadogSloConnection) -> HttpSettings:
    """Returns a connection as the HTTP client needs it.

    Datadog's limits are per endpoint and organisation, and told by each answer; a 429 says in `X-RateLimit-Reset` when
    the next period begins ("Rate Limits" in the API reference).
    """
    return HttpSettings(
        connection_name=connection_name,
        base_url=connection.base_url or f"https://api.{connection.site}",
        auth=ApiKeyPairAuth(
            kind="api_key_pair",
            name="DD-API-KEY",
            value=connection.api_key,
            second_name="DD-APPLICATION-KEY",
            second_value=connection.application_key,
        ),
        rights="an application key with the right slos_read, of this site",
        pause_header="X-RateLimit-Reset",
    )
