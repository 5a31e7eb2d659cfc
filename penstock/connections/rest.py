"""An HTTP API, and how a request may carry its credentials."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from penstock.connections.base import Address, ConnectionSpec, RateLimit


class NoAuth(ConnectionSpec):
    """Nothing is sent."""

    kind: Literal["none"]


class BasicAuth(ConnectionSpec):
    """HTTP Basic."""

    kind: Literal["basic"]
    username: str
    password: SecretStr


class BearerAuth(ConnectionSpec):
    """A fixed token in `Authorization: Bearer`."""

    kind: Literal["bearer"]
    token: SecretStr


class ApiKeyAuth(ConnectionSpec):
    """A key in a header, in the query, or in the JSON body of a POST."""

    kind: Literal["api_key"]
    name: str = Field(description="Header, query parameter or field of the body that carries the key.")
    value: SecretStr
    location: Literal["header", "query", "body"] = "header"


class ApiKeyPairAuth(ConnectionSpec):
    """Two keys in two headers, such as an organisation's and an application's."""

    kind: Literal["api_key_pair"]
    name: str = Field(description="Header that carries the first key.")
    value: SecretStr
    second_name: str = Field(description="Header that carries the second key.")
    second_value: SecretStr


class OAuth2Auth(ConnectionSpec):
    """OAuth 2 client credentials, or a token endpoint like it.

    The token is renewed before it expires and after a 401.
    """

    kind: Literal["oauth2"]
    token_url: Address
    client_id: str
    client_secret: SecretStr
    scope: str | None = None
    secret_in: Literal["body", "header"] = Field(
        default="body", description="Whether the token request carries the client in its form or as HTTP Basic."
    )
    parameters: dict[str, str] = Field(
        default_factory=dict, description="More fields of the token request, such as `audience`; no secrets here."
    )
    headers: dict[str, str] = Field(default_factory=dict, description="Of the token request; no secrets here.")
    grant_type: str | None = Field(
        default="client_credentials", description="What the form asks for; null for an endpoint that takes no form."
    )
    lifetime_seconds: float | None = Field(
        default=None, gt=0, description="How long a token is good for, where the answer does not say so."
    )

    @model_validator(mode="after")
    def _has_a_form_for_what_stands_in_it(self) -> OAuth2Auth:
        if self.grant_type is None and (self.scope or self.parameters or self.secret_in == "body"):  # noqa: S105
            raise ValueError("without a `grant_type` there is no form: `secret_in: header`, no scope, no parameters")
        return self


Auth = Annotated[
    NoAuth | BasicAuth | BearerAuth | ApiKeyAuth | ApiKeyPairAuth | OAuth2Auth, Field(discriminator="kind")
]


class RestConnection(ConnectionSpec):
    """An HTTP API."""

    kind: Literal["rest"]
    base_url: Address
    auth: Auth = NoAuth(kind="none")
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with every request; no secrets here.")
    parameters: dict[str, str] = Field(
        default_factory=dict, description="In the query of every request; no secrets here."
    )
    rate_limit: RateLimit | None = None
    concurrent_requests: int | None = Field(default=None, ge=1, description="At most so many requests at a time.")
    timeout_seconds: float = Field(default=60.0, gt=0)
