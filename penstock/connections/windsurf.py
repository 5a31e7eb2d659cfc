"""A Windsurf team."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from penstock.connections.declared import DeclaredConnection
from penstock.connections.rest import ApiKeyAuth, Auth


class WindsurfConnection(DeclaredConnection):
    """A Windsurf team, by a service key."""

    vendor_url: ClassVar[str] = "https://server.codeium.com/api/v1"
    probe_method: ClassVar[Literal["GET", "POST"]] = "POST"
    rights: ClassVar[str] = "a service key with Teams Read-only, on the Enterprise plan"

    kind: Literal["windsurf"]
    service_key: SecretStr = Field(description="A service key whose role has Teams Read-only; it is sent in bodies.")
    group_name: str | None = Field(default=None, description="Only the members of this group.")

    def auth(self) -> Auth:
        """Returns the key as a field of every body."""
        return ApiKeyAuth(kind="api_key", name="service_key", value=self.service_key, location="body")

    def probe_path(self) -> str:
        """Returns the team's credits; every call of this API is a POST."""
        return "/GetTeamCreditBalance"
