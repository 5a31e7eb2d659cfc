"""The block of a Snowflake database that serves as the warehouse, on the credentials of prefect-snowflake."""

from __future__ import annotations

from typing import Any, Literal

from prefect_snowflake.credentials import SnowflakeCredentials
from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import (
    ComputeSizes,
    ExternalStage,
    InternalStage,
    KeyPairAuth,
    OAuthTokenAuth,
    PasswordAuth,
    SnowflakeAuth,
    SnowflakeConnection,
)
from penstock.errors import ConfigurationError


class SnowflakeDatabase(ConnectionBlock):
    """A Snowflake database, the credentials to load it with, and what computes for whom.

    Example:
        Load a stored warehouse:
        ```python
        from blocks.snowflake import SnowflakeDatabase

        connection = SnowflakeDatabase.load("analytics").to_connection()
        ```
    """

    _block_type_name = "Penstock Snowflake"
    _block_type_slug = "penstock-snowflake"
    _documentation_url = HttpUrl("https://docs.snowflake.com/en/user-guide/key-pair-auth")

    credentials: SnowflakeCredentials = Field(
        title="Snowflake credentials", description="Account, user, and a key pair, an OAuth token or a password."
    )
    database: str = Field(title="Database", description="The database that holds bronze, silver, gold and the ledger.")
    role: str | None = Field(
        default=None, title="Role", description="The role of the session; that of the credentials if empty."
    )
    warehouse: str = Field(title="Warehouse", description="The virtual warehouse that loads run in.")
    warehouse_for_large_loads: str | None = Field(
        default=None, title="Warehouse of large loads", description="For backfills and whole snapshots."
    )
    warehouse_for_transform: str | None = Field(
        default=None, title="Warehouse of transforms", description="For dbt; that of loads if empty."
    )
    warehouse_for_reporting: str | None = Field(
        default=None, title="Warehouse of reports", description="For people and exports; that of loads if empty."
    )
    stage: str = Field(default="penstock_lake", title="Stage", description="The stage that COPY reads from.")
    storage_integration: str | None = Field(
        default=None,
        title="Storage integration",
        description="Makes the stage an external one over the lake's bucket; files are uploaded to it if empty.",
    )
    statement_timeout_seconds: int = Field(
        default=3600, ge=1, title="Statement timeout", description="Seconds after which Snowflake stops a statement."
    )
    login_timeout_seconds: int = Field(
        default=60, ge=1, title="Login timeout", description="Seconds to wait for a session."
    )
    host: str | None = Field(
        default=None, title="Host", description="Another address than the account's, such as a private link."
    )
    port: int | None = Field(default=None, ge=1, le=65535, title="Port", description="Of that address.")
    protocol: Literal["https", "http"] = Field(default="https", title="Protocol", description="Of that address.")

    def to_connection(self) -> SnowflakeConnection:
        """Returns the connection that the block holds.

        Raises:
            ConfigurationError: The credentials are of a kind that a service cannot use, or their key file is not there.
        """
        auth = _auth(self.credentials)
        if not self.credentials.user:
            raise ConfigurationError("the Snowflake credentials name no user", guidance="Add `user` to them.")
        return SnowflakeConnection(
            kind="snowflake",
            account=self.credentials.account,
            user=self.credentials.user,
            auth=auth,
            database=self.database,
            role=self.role or self.credentials.role,
            compute=ComputeSizes(
                load=self.warehouse,
                load_large=self.warehouse_for_large_loads,
                transform=self.warehouse_for_transform,
                reporting=self.warehouse_for_reporting,
            ),
            stage=self._stage(),
            statement_timeout_seconds=self.statement_timeout_seconds,
            login_timeout_seconds=self.login_timeout_seconds,
            host=self.host,
            port=self.port,
            protocol=self.protocol,
        )

    def _stage(self) -> InternalStage | ExternalStage:
        if self.storage_integration is None:
            return InternalStage(kind="internal", name=self.stage)
        return ExternalStage(kind="external", name=self.stage, storage_integration=self.storage_integration)


def _auth(credentials: SnowflakeCredentials) -> SnowflakeAuth:
    """Returns how to sign in: by key pair where there is a key, else as the authenticator says."""
    key = _private_key(credentials)
    if key is not None:
        return KeyPairAuth(kind="key_pair", private_key=key, passphrase=_text(credentials.private_key_passphrase))
    token, password = _text(credentials.token), _text(credentials.password)
    if credentials.authenticator == "oauth" and token is not None:
        return OAuthTokenAuth(kind="oauth", token=token)
    if credentials.authenticator == "snowflake" and password is not None:
        return PasswordAuth(kind="password", password=password)
    raise ConfigurationError(
        "the Snowflake credentials are of a kind that Penstock does not use",
        guidance="Give them a private key, `authenticator: oauth` with a token, or a password.",
        authenticator=credentials.authenticator,
    )


def _private_key(credentials: SnowflakeCredentials) -> SecretStr | None:
    if credentials.private_key_path is None:
        return _text(credentials.private_key)
    try:
        return SecretStr(credentials.private_key_path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            "the private key's file cannot be read",
            guidance="Its path must lead to it on every worker; a key in the block itself needs no file.",
            path=str(credentials.private_key_path),
        ) from error


def _text(secret: Any) -> SecretStr | None:
    """Returns a secret as text; the credentials keep their key as bytes."""
    value = secret.get_secret_value() if secret is not None else None
    if not value:
        return None
    return SecretStr(value.decode() if isinstance(value, bytes) else value)
