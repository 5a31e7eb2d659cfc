"""A Sprout Social customer as the HTTP client needs it: its address, its credentials and its pace."""

from __future__ import annotations

from http import HTTPStatus

from penstock.connections import Auth, BearerAuth, OAuth2Auth, RateLimit, SproutSocialConnection
from penstock.errors import ConfigurationError, DataError, RejectedError
from penstock.sources.rest import NoPaging
from tasks.sources.http.client import HttpClient
from tasks.sources.http.limiter import EVERY_REQUEST, Budget
from tasks.sources.http.policy import RetryPolicy
from tasks.sources.http.request import HttpRequest, HttpSettings
from tasks.sources.rest.body import field_of
from tasks.sources.rest.page import Endpoint
from tasks.sources.rest.walk import walk

CLIENTS_PATH = "/v1/metadata/client"
"""The customers that the credentials open; the one path without a customer in it."""

_BASE_URL = "https://api.sproutsocial.com"
_TOKEN_URL = "https://identity.sproutsocial.com/oauth2/84e39c75-d770-45d9-90a9-7b79e3037d2c/v1/token"  # noqa: S105
_SCOPE = "organization_id"
# API reference, "Rate Limits": 60 a minute and 250,000 a month for a customer, whoever asks. Five a minute are left to
# others. The month's cannot be counted by one process; at this pace it is used up by 75 hours of asking.
_REQUESTS_PER_MINUTE = 55
_TIMEOUT_SECONDS = 120.0

# No Retry-After ever comes, and the limit is counted over a minute: shorter pauses only use up attempts.
POLICY = RetryPolicy(attempts=8, first_backoff_seconds=5.0, shortest_limited_pause_seconds=5.0)


def settings_of(connection_name: str, connection: SproutSocialConnection) -> HttpSettings:
    """Returns a connection as the HTTP client needs it."""
    per_minute = connection.requests_per_minute or (None if connection.base_url else _REQUESTS_PER_MINUTE)
    limit = RateLimit(requests=per_minute, seconds=60.0) if per_minute else None
    return HttpSettings(
        connection_name=connection_name,
        base_url=connection.base_url or _BASE_URL,
        auth=_auth_of(connection),
        budgets={EVERY_REQUEST: Budget(limit)},
        timeout_seconds=_TIMEOUT_SECONDS,
        rights="access to this customer and its profiles in Sprout, and accept the terms of its API",
        not_ready=frozenset({HTTPStatus.ACCEPTED}),
        request_id_header="X-Sprout-Request-ID",
    )


def find_customer(client: HttpClient, connection: SproutSocialConnection) -> int:
    """Returns the customer's id: the connection's, or that of the only customer that the credentials open.

    Raises:
        ConfigurationError: They open several.
        RejectedError: They open none.
    """
    if connection.customer_id is not None:
        return connection.customer_id
    endpoint = Endpoint(HttpRequest(CLIENTS_PATH, CLIENTS_PATH), records="data", paging=NoPaging(kind="none"))
    found = [field_of(record, "customer_id") for page in walk(client, endpoint) for record in page.records]
    if len(found) > 1:
        raise ConfigurationError(
            "the credentials open several customers",
            guidance="Say in the connection's `customer_id` which one is meant.",
            connection=client.connection_name,
            customers=", ".join(map(str, found)),
        )
    if not found:
        raise RejectedError(
            "the credentials open no customer",
            guidance="Make the token with a user that belongs to the customer, or give `customer_id`.",
            connection=client.connection_name,
        )
    return _as_id(found[0], client)


def _as_id(value: object, client: HttpClient) -> int:
    # A number by the reference; text would be put into paths, where it must not lead elsewhere.
    if isinstance(value, int | str) and str(value).isdecimal():
        return int(value)
    raise DataError(
        "the API named a customer without a number",
        guidance="Give `customer_id` in the connection.",
        connection=client.connection_name,
    )


def _auth_of(connection: SproutSocialConnection) -> Auth:
    if connection.client_id is not None and connection.client_secret is not None:
        return OAuth2Auth(
            kind="oauth2",
            token_url=connection.token_url or _TOKEN_URL,
            client_id=connection.client_id,
            client_secret=connection.client_secret,
            scope=_SCOPE,
        )
    if connection.token is None:  # the connection's own check has seen to it
        raise ConfigurationError("the connection has no credentials", guidance="Give `token`.")
    return BearerAuth(kind="bearer", token=connection.token)
