"""What a connection's logical name resolves to: plain settings, from a platform file or a Prefect block.

Secrets are `SecretStr`, so that no repr, log or error shows them. A kind of connection is one module here, and one
line in a union below.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from pydantic import Field

from penstock.connections.base import (
    Address,
    ConnectionSpec,
    RateLimit,
)
from penstock.connections.gladly import (
    GladlyConnection,
)
from penstock.connections.mysql import (
    MySqlConnection,
)
from penstock.connections.rest import (
    ApiKeyAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    NoAuth,
    OAuth2Auth,
    RestConnection,
)
from penstock.connections.stores import (
    CannedAcl,
    FolderConnection,
    S3Connection,
)
from penstock.connections.warehouses import (
    ComputeSizes,
    DuckDBConnection,
    ExternalStage,
    InternalStage,
    KeyPairAuth,
    OAuthTokenAuth,
    PasswordAuth,
    PostgresConnection,
    SnowflakeAuth,
    SnowflakeConnection,
)

ApiConnection = (
    RestConnection  # one line each
    | GladlyConnection
    | MySqlConnection
)
"""Systems that only sources read."""

StoreConnection = FolderConnection | S3Connection
WarehouseConnection = DuckDBConnection | SnowflakeConnection | PostgresConnection
Connection = Annotated[ApiConnection | StoreConnection | PostgresConnection, Field(discriminator="kind")]
"""What a source may read; a PostgreSQL database may be a source or the warehouse."""

AnyConnection = ApiConnection | StoreConnection | WarehouseConnection


def kinds_of(connections: Any) -> tuple[str, ...]:
    """Returns the kinds of a union of connections, such as `StoreConnection`."""
    if get_origin(connections) is Annotated:
        return kinds_of(get_args(connections)[0])
    return tuple(get_args(member.model_fields["kind"].annotation)[0] for member in get_args(connections))


__all__ = [
    "Address",
    "AnyConnection",
    "ApiConnection",
    "ApiKeyAuth",
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "CannedAcl",
    "ComputeSizes",
    "Connection",
    "ConnectionSpec",
    "DuckDBConnection",
    "ExternalStage",
    "FolderConnection",
    "GladlyConnection",
    "InternalStage",
    "KeyPairAuth",
    "MySqlConnection",
    "NoAuth",
    "OAuth2Auth",
    "OAuthTokenAuth",
    "PasswordAuth",
    "PostgresConnection",
    "RateLimit",
    "RestConnection",
    "S3Connection",
    "SnowflakeAuth",
    "SnowflakeConnection",
    "StoreConnection",
    "WarehouseConnection",
    "kinds_of",
]
