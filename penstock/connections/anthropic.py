"""An Anthropic organisation."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from penstock.connections.declared import DeclaredConnection
from penstock.connections.rest import ApiKeyAuth, Auth


class AnthropicConnection(DeclaredConnection):
    """An Anthropic organisation, by an Admin key."""

    vendor_url: ClassVar[str] = "https://api.anthropic.com"
    rights: ClassVar[str] = "an Admin key of an organisation's administrator"

    kind: Literal["anthropic"]
    api_key: SecretStr = Field(description="An Admin key (`sk-ant-admin...`); other keys are refused.")

    def auth(self) -> Auth:
        """Returns the key's own header."""
        return ApiKeyAuth(kind="api_key", name="x-api-key", value=self.api_key)

    def headers(self) -> dict[str, str]:
        """Returns the version of the API, which every request names."""
        return {"anthropic-version": "2023-06-01"}

    def probe_path(self) -> str:
        """Returns the workspaces, of which one would do."""
        return "/v1/organizations/workspaces?limit=1"
