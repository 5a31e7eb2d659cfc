"""What a connection's logical name resolves to: plain settings, from a platform file or a Prefect block.

Secrets are `SecretStr`, so that no repr, log or error shows them.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, SecretStr

from penstock.spec import Spec


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("an address is https://host or https://host/path, without query and fragment")
    if "@" in parts.netloc:
        raise ValueError("an address holds no user name or password; they belong into the credentials")
    return url


Address = Annotated[str, AfterValidator(_address)]
"""Where an API is."""


class ConnectionSpec(Spec):
    """Settings that may hold secrets: what a person wrote is not repeated in errors."""

    model_config = ConfigDict(hide_input_in_errors=True)


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
    """A key in a header or in the query."""

    kind: Literal["api_key"]
    name: str = Field(description="Header or query parameter that carries the key.")
    value: SecretStr
    location: Literal["header", "query"] = "header"


class OAuth2Auth(ConnectionSpec):
    """OAuth 2 client credentials; the token is renewed before it expires and after a 401."""

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


Auth = Annotated[NoAuth | BasicAuth | BearerAuth | ApiKeyAuth | OAuth2Auth, Field(discriminator="kind")]


class RateLimit(Spec):
    """At most `requests` calls in any `seconds`, for everything that uses the connection."""

    requests: int = Field(ge=1)
    seconds: float = Field(default=1.0, gt=0)


class RestConnection(ConnectionSpec):
    """An HTTP API."""

    kind: Literal["rest"]
    base_url: Address
    auth: Auth = NoAuth(kind="none")
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with every request; no secrets here.")
    rate_limit: RateLimit | None = None
    timeout_seconds: float = Field(default=60.0, gt=0)


class GladlyConnection(ConnectionSpec):
    """A Gladly organisation and an API user's token."""

    kind: Literal["gladly"]
    organization: str = Field(description="`org`, `org.region`, or the pasted address.")
    email: str
    token: SecretStr
    base_url: Address | None = Field(
        default=None, description="Another address than Gladly's, for a sandbox; whole, with `/api/v1`."
    )
    requests_per_second: int | None = Field(
        default=None, ge=1, description="Pace of all calls. Default: Gladly's 10, or none of ours at another address."
    )
    reports_per_minute: int | None = Field(
        default=None, ge=1, description="Pace of reports. Default: Gladly's 10, or none of ours at another address."
    )
    concurrent_reports: int = Field(default=2, ge=1, description="Reports at once; Gladly allows two.")


class FolderConnection(Spec):
    """A folder that serves as an object store."""

    kind: Literal["folder"]
    path: str


class DuckDBConnection(Spec):
    """A DuckDB file that serves as the warehouse."""

    kind: Literal["duckdb"]
    path: str
    memory_limit: str = Field(default="256MB", description="DuckDB spills to disk beyond it.")
    threads: int | None = Field(
        default=None, ge=1, description="Default: the machine's, at most one to 64 MB of `memory_limit`."
    )
    lock_timeout_seconds: float = Field(default=600.0, gt=0, description="How long a load waits for another run's.")


Connection = Annotated[RestConnection | GladlyConnection | FolderConnection, Field(discriminator="kind")]
StoreConnection = FolderConnection
WarehouseConnection = DuckDBConnection
