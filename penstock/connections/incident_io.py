"""An incident.io workspace."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from penstock.connections.base import Address, ConnectionSpec


class IncidentIoConnection(ConnectionSpec):
    """An incident.io workspace, which its API key decides."""

    kind: Literal["incident_io"]
    api_key: SecretStr = Field(description="Its scopes, chosen when it is made, say what can be read.")
    base_url: Address | None = Field(default=None, description="Another address than incident.io's, for a sandbox.")
    requests_per_minute: int | None = Field(
        default=None, ge=1, description="Pace of all calls. Default: incident.io's 1200, or none at another address."
    )
