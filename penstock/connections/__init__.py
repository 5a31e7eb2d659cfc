"""What a connection's logical name resolves to: plain settings, from a platform file or a Prefect block.

Secrets are `SecretStr`, so that no repr, log or error shows them. A kind of connection is one module here, and one
line in a union below.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from pydantic import Field

from penstock.connections.anthropic import (
    AnthropicConnection,
)
from penstock.connections.base import (
    Address,
    ConnectionSpec,
    RateLimit,
)
from penstock.connections.copilot import (
    CopilotConnection,
)
from penstock.connections.cursor import (
    CursorConnection,
)
from penstock.connections.datadog_slo import (
    DatadogSloConnection,
)
from penstock.connections.dbt_cloud import (
    DbtCloudConnection,
)
from penstock.connections.declared import (
    DeclaredConnection,
)
from penstock.connections.gladly import (
    GladlyConnection,
)
from penstock.connections.google import (
    GoogleAuth,
    GoogleConnection,
    GoogleRefreshToken,
    GoogleServiceAccount,
)
from penstock.connections.incident_io import (
    IncidentIoConnection,
)
from penstock.connections.litellm import (
    LiteLLMConnection,
)
from penstock.connections.mysql import (
    MySqlConnection,
)
from penstock.connections.nobl9 import (
    Nobl9Connection,
)
from penstock.connections.openai import (
    OpenAIConnection,
)
from penstock.connections.rest import (
    ApiKeyAuth,
    ApiKeyPairAuth,
    Auth,
    BasicAuth,
    BearerAuth,
    NoAuth,
    OAuth2Auth,
    RestConnection,
)
from penstock.connections.sftp import (
    SftpConnection,
)
from penstock.connections.sourcegraph import (
    SourcegraphConnection,
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
from penstock.connections.windsurf import (
    WindsurfConnection,
)

ApiConnection = (
    RestConnection  # one line each
    | AnthropicConnection
    | CopilotConnection
    | CursorConnection
    | DatadogSloConnection
    | GladlyConnection
    | GoogleConnection
    | IncidentIoConnection
    | LiteLLMConnection
    | MySqlConnection
    | Nobl9Connection
    | OpenAIConnection
    | SftpConnection
    | SourcegraphConnection
    | SproutSocialConnection
    | WindsurfConnection
)
"""Systems that only sources read."""

StoreConnection = FolderConnection | S3Connection
WarehouseConnection = DuckDBConnection | SnowflakeConnection | PostgresConnection
Connection = Annotated[ApiConnection | StoreConnection | PostgresConnection, Field(discriminator="kind")]
"""What a source may read; a PostgreSQL database may be a source or the warehouse."""

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
    "AnthropicConnection",
    "AnyConnection",
    "ApiConnection",
    "ApiKeyAuth",
    "ApiKeyPairAuth",
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "CannedAcl",
    "ComputeSizes",
    "Connection",
    "ConnectionSpec",
    "CopilotConnection",
    "CursorConnection",
    "DatadogSloConnection",
    "DbtCloudConnection",
    "DeclaredConnection",
    "DuckDBConnection",
    "ExternalStage",
    "FolderConnection",
    "GladlyConnection",
    "GoogleAuth",
    "GoogleConnection",
    "GoogleRefreshToken",
    "GoogleServiceAccount",
    "IncidentIoConnection",
    "InternalStage",
    "KeyPairAuth",
    "LiteLLMConnection",
    "MySqlConnection",
    "NoAuth",
    "Nobl9Connection",
    "OAuth2Auth",
    "OAuthTokenAuth",
    "OpenAIConnection",
    "PasswordAuth",
    "PostgresConnection",
    "RateLimit",
    "RestConnection",
    "S3Connection",
    "SftpConnection",
    "SnowflakeAuth",
    "SnowflakeConnection",
    "SourcegraphConnection",
    "SproutSocialConnection",
    "StoreConnection",
    "WarehouseConnection",
    "WindsurfConnection",
    "kinds_of",
]
