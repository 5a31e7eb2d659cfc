"""What a connection's logical name resolves to: plain settings, from a platform file or a Prefect block.

Secrets are `SecretStr`, so that no repr, log or error shows them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator

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


CannedAcl = Literal[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
]
"""What S3 calls a canned ACL ("Access control list overview", Canned ACL)."""


def _bucket_prefix(prefix: str) -> str:
    if prefix and not all(part.strip() and part not in {".", ".."} for part in prefix.split("/")):
        raise ValueError("a prefix is parts joined by single slashes, such as lake/acme, without a slash at its ends")
    return prefix


class S3Connection(ConnectionSpec):
    """A bucket, or a prefix of one, that serves as an object store.

    Without keys and profile, boto3's own chain decides: the environment, the shared files, the machine's role.
    """

    kind: Literal["s3"]
    bucket: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$")] = Field(
        description="The bucket's name, without `s3://`."
    )
    prefix: Annotated[str, AfterValidator(_bucket_prefix)] = Field(
        default="", max_length=512, description="Everything lives below it; no slash at its ends."
    )
    region: str | None = Field(default=None, description="The bucket's region; boto3's own chain decides if empty.")
    endpoint_url: Address | None = Field(default=None, description="Another address than Amazon's.")
    addressing: Literal["path", "virtual"] | None = Field(
        default=None,
        description="Whether the bucket is in the path or in the host's name; `path` at another address than Amazon's.",
    )
    access_key_id: str | None = None
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    profile: str | None = Field(
        default=None, description="A profile of the machine's AWS configuration; an access key goes before its own."
    )
    role_arn: str | None = Field(
        default=None, description="A role to assume with those credentials; it is assumed anew before it expires."
    )
    external_id: SecretStr | None = Field(default=None, description="What the role's trust policy asks for.")
    sts_endpoint_url: Address | None = Field(
        default=None, description="Where the role is assumed; the region's own address at Amazon if empty."
    )
    encryption: Literal["AES256", "aws:kms", "aws:kms:dsse"] | None = Field(
        default=None, description="Server-side encryption; the bucket's default if empty."
    )
    kms_key_id: str | None = Field(default=None, description="The KMS key's ARN; S3's own key if empty.")
    acl: CannedAcl | None = Field(default=None, description="Set on what is written; a bucket may refuse any.")

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("access_key_id and secret_access_key are given together")
        if self.session_token and not self.access_key_id:
            raise ValueError("session_token goes with access_key_id and secret_access_key")
        if not self.role_arn and (self.external_id or self.sts_endpoint_url):
            raise ValueError("external_id and sts_endpoint_url go with role_arn")
        if self.kms_key_id and self.encryption not in {"aws:kms", "aws:kms:dsse"}:
            raise ValueError("kms_key_id goes with encryption aws:kms or aws:kms:dsse")
        return self


class KeyPairAuth(ConnectionSpec):
    """An RSA key, as Snowflake asks it of services."""

    kind: Literal["key_pair"]
    private_key: SecretStr = Field(description="In PEM, PKCS#8.")
    passphrase: SecretStr | None = None


class OAuthTokenAuth(ConnectionSpec):
    """A token that something else renews."""

    kind: Literal["oauth"]
    token: SecretStr


class PasswordAuth(ConnectionSpec):
    """A password; Snowflake ends it for services in favour of key pairs."""

    kind: Literal["password"]
    password: SecretStr


SnowflakeAuth = Annotated[KeyPairAuth | OAuthTokenAuth | PasswordAuth, Field(discriminator="kind")]


class ComputeSizes(Spec):
    """Virtual warehouses by purpose; each is the one of loads where left out."""

    load: str = Field(description="Runs COPY and the load strategies.")
    load_large: str | None = Field(default=None, description="For backfills and whole snapshots.")
    transform: str | None = Field(default=None, description="Runs dbt.")
    reporting: str | None = Field(default=None, description="Answers people and exports.")


class InternalStage(Spec):
    """Files are PUT to a stage of Snowflake's own: for a lake that Snowflake cannot read."""

    kind: Literal["internal"]
    name: str = Field(default="penstock_lake")


class ExternalStage(Spec):
    """Snowflake reads the lake's bucket itself, through a storage integration."""

    kind: Literal["external"]
    name: str = Field(default="penstock_lake")
    storage_integration: str


class SnowflakeConnection(ConnectionSpec):
    """A Snowflake database that serves as the warehouse."""

    kind: Literal["snowflake"]
    account: str
    user: str
    auth: SnowflakeAuth
    database: str
    role: str | None = None
    compute: ComputeSizes
    stage: Annotated[InternalStage | ExternalStage, Field(discriminator="kind")]
    statement_timeout_seconds: int = Field(default=3600, ge=1)
    login_timeout_seconds: int = Field(default=60, ge=1)
    host: str | None = Field(default=None, description="Another address than the account's, such as a private link.")
    port: int | None = Field(default=None, ge=1, le=65535)
    protocol: Literal["https", "http"] = "https"


class PostgresConnection(ConnectionSpec):
    """A PostgreSQL database (15 or newer) that serves as the warehouse."""

    kind: Literal["postgres"]
    host: str
    port: int = Field(default=5432, ge=1, le=65535)
    database: str
    user: str
    password: SecretStr | None = Field(default=None, description="The password file's or the server's trust if empty.")
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    connect_timeout_seconds: int = Field(default=30, ge=2)
    statement_timeout_seconds: int = Field(default=3600, ge=1)
    lock_timeout_seconds: float = Field(default=600.0, gt=0, description="How long a load waits for another run's.")


Connection = Annotated[RestConnection | GladlyConnection | FolderConnection | S3Connection, Field(discriminator="kind")]
StoreConnection = FolderConnection | S3Connection
WarehouseConnection = DuckDBConnection | SnowflakeConnection | PostgresConnection
AnyConnection = RestConnection | GladlyConnection | StoreConnection | WarehouseConnection


def kinds_of(connections: Any) -> tuple[str, ...]:
    """Returns the kinds of a union of connections, such as `StoreConnection`."""
    if get_origin(connections) is Annotated:
        return kinds_of(get_args(connections)[0])
    return tuple(get_args(member.model_fields["kind"].annotation)[0] for member in get_args(connections))
