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
from penstock.connections.dbt_cloud import (
    DbtCloudConnection,
)
from penstock.connections.gladly import (
    GladlyConnection,
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
from penstock.connections.sprout_social import (
    SproutSocialConnection,
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
    | SproutSocialConnection
)
"""Systems that only sources read."""

StoreConnection = FolderConnection | S3Connection
WarehouseConnection = DuckDBConnection | SnowflakeConnection | PostgresConnection
Connection = Annotated[ApiConnection | StoreConnection, Field(discriminator="kind")]
"""What a source may read."""

AnyConnection = ApiConnection | StoreConnection | WarehouseConnection | DbtCloudConnection


def kinds_of(connections: Any) -> tuple[str, ...]:
    """Returns the kinds of a union of connections, such as `StoreConnection`, or the kind of one."""
    if get_origin(connections) is Annotated:
        return kinds_of(get_args(connections)[0])
    return tuple(
        get_args(member.model_fields["kind"].annotation)[0] for member in get_args(connections) or (connections,)
    )


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
    "DbtCloudConnection",
    "DuckDBConnection",
    "ExternalStage",
    "FolderConnection",
    "GladlyConnection",
    "InternalStage",
    "KeyPairAuth",
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
    "SproutSocialConnection",
    "StoreConnection",
    "WarehouseConnection",
    "kinds_of",
]
