"""Warehouses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from penstock.connections.base import ConnectionSpec
from penstock.spec import Spec


class DuckDBConnection(Spec):
    """A DuckDB file that serves as the warehouse."""

    kind: Literal["duckdb"]
    path: str
    memory_limit: str = Field(default="256MB", description="DuckDB spills to disk beyond it.")
    threads: int | None = Field(
        default=None, ge=1, description="Default: the machine's, at most one to 64 MB of `memory_limit`."
    )
    lock_timeout_seconds: float = Field(default=600.0, gt=0, description="How long a load waits for another run's.")


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
    """A PostgreSQL database that is the warehouse (15 or newer), or that a source reads (12 or newer)."""

    kind: Literal["postgres"]
    host: str
    port: int = Field(default=5432, ge=1, le=65535)
    database: str
    user: str
    password: SecretStr | None = Field(default=None, description="The password file's or the server's trust if empty.")
    sslmode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    sslrootcert: str | None = Field(default=None, description="Path of the authority's certificate; libpq's if empty.")
    connect_timeout_seconds: int = Field(default=30, ge=2)
    statement_timeout_seconds: int = Field(default=3600, ge=1)
    lock_timeout_seconds: float = Field(default=600.0, gt=0, description="How long a load waits for another run's.")
