"""The block of an HTTP API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, HttpUrl, SecretStr, TypeAdapter, model_validator

from blocks.base import ConnectionBlock
from penstock.connections import Auth, RateLimit, RestConnection

AuthKind = Literal["none", "basic", "bearer", "api_key", "api_key_pair", "oauth2"]

# What each kind needs of the flat fields below, by the name that the connection has for it. Flat, because Prefect's
# forms cannot show a choice between models (PrefectHQ/prefect#18445).
_REQUIRED: dict[AuthKind, dict[str, str]] = {
    "none": {},
    "basic": {"username": "username", "password": "password"},
    "bearer": {"token": "token"},
    "api_key": {"name": "api_key_name", "value": "api_key", "location": "api_key_location"},
    "api_key_pair": {
        "name": "api_key_name",
        "value": "api_key",
        "second_name": "second_api_key_name",
        "second_value": "second_api_key",
    },
    "oauth2": {"token_url": "token_url", "client_id": "client_id", "client_secret": "client_secret"},
}
_OPTIONAL: dict[AuthKind, dict[str, str]] = {
    "oauth2": {
        "scope": "scope",
        "secret_in": "client_secret_in",
        "parameters": "token_parameters",
        "headers": "token_headers",
        "grant_type": "token_grant_type",
        "lifetime_seconds": "token_lifetime_seconds",
    },
}


class RestCredentials(ConnectionBlock):
    """An HTTP API: its address, and one of several kinds of credentials.

    Example:
        Load stored credentials:
        ```python
        from blocks.rest import RestCredentials

        connection = RestCredentials.load("acme-orders").to_connection()
        ```
    """

    _block_type_name = "Penstock REST API"
    _block_type_slug = "penstock-rest"
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

    base_url: str = Field(title="Address", description="Where the API is, such as https://api.example.com/v1.")
    auth: AuthKind = Field(default="none", title="Credentials", description="Which of the fields below are used.")
    username: str | None = Field(default=None, title="User name", description="For `basic`.")
    password: SecretStr | None = Field(default=None, title="Password", description="For `basic`.")
    token: SecretStr | None = Field(default=None, title="Token", description="For `bearer`: sent as a bearer token.")
    api_key_name: str | None = Field(
        default=None,
        title="API key's name",
        description="The header, query parameter or field of the body of `api_key`; the first header of a pair.",
    )
    api_key: SecretStr | None = Field(default=None, title="API key", description="For both kinds of keys.")
    api_key_location: Literal["header", "query", "body"] = Field(
        default="header", title="API key's place", description="For `api_key`: where the key is sent."
    )
    second_api_key_name: str | None = Field(
        default=None, title="Second key's name", description="For `api_key_pair`: the second header."
    )
    second_api_key: SecretStr | None = Field(
        default=None, title="Second API key", description="For `api_key_pair`, beside the first."
    )
    token_url: str | None = Field(default=None, title="Token address", description="For `oauth2`: gives out tokens.")
    client_id: str | None = Field(default=None, title="Client id", description="For `oauth2`.")
    client_secret: SecretStr | None = Field(default=None, title="Client secret", description="For `oauth2`.")
    client_secret_in: Literal["body", "header"] = Field(
        default="body", title="Client secret's place", description="For `oauth2`: in the form, or as HTTP Basic."
    )
    scope: str | None = Field(default=None, title="Scope", description="For `oauth2`: what the token shall allow.")
    token_parameters: dict[str, str] = Field(
        default_factory=dict, title="More token parameters", description="For `oauth2`: such as `audience`; no secrets."
    )
    token_headers: dict[str, str] = Field(
        default_factory=dict, title="Token request's headers", description="For `oauth2`; no secrets here."
    )
    token_grant_type: str | None = Field(
        default="client_credentials",
        title="Grant type",
        description="For `oauth2`: what the token request's form asks for; empty for an endpoint without a form.",
    )
    token_lifetime_seconds: float | None = Field(
        default=None, gt=0, title="Token's life", description="For `oauth2`: seconds, where the answer does not say."
    )
    headers: dict[str, str] = Field(
        default_factory=dict, title="Headers", description="Sent with every request; no secrets here."
    )
    parameters: dict[str, str] = Field(
        default_factory=dict, title="Parameters", description="In the query of every request; no secrets here."
    )
    concurrent_requests: int | None = Field(
        default=None, ge=1, title="Requests at once", description="At most so many requests at a time; any if empty."
    )
    rate_limit_requests: int | None = Field(
        default=None, ge=1, title="Requests", description="At most so many requests in the seconds below."
    )
    rate_limit_seconds: float = Field(
        default=1.0, gt=0, title="Seconds", description="In which the number of requests above may be sent."
    )
    timeout_seconds: float = Field(
        default=60.0, gt=0, title="Timeout", description="Seconds to wait for the API to go on answering."
    )

    @model_validator(mode="after")
    def _has_what_its_credentials_need(self) -> RestCredentials:
        missing = [field for field in _REQUIRED[self.auth].values() if getattr(self, field) is None]
        if missing:
            raise ValueError(f"`{self.auth}` credentials need {', '.join(missing)}")
        return self

    def to_connection(self) -> RestConnection:
        """Returns the connection that the block holds."""
        fields = {**_REQUIRED[self.auth], **_OPTIONAL.get(self.auth, {})}
        auth: dict[str, Any] = {"kind": self.auth} | {name: getattr(self, field) for name, field in fields.items()}
        limit = None
        if self.rate_limit_requests is not None:
            limit = RateLimit(requests=self.rate_limit_requests, seconds=self.rate_limit_seconds)
        return RestConnection(
            kind="rest",
            base_url=self.base_url,
            auth=TypeAdapter[Auth](Auth).validate_python(auth),
            headers=self.headers,
            parameters=self.parameters,
            rate_limit=limit,
            concurrent_requests=self.concurrent_requests,
            timeout_seconds=self.timeout_seconds,
        )
