"""An OpenAI organisation."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from penstock.connections.declared import DeclaredConnection
from penstock.connections.rest import Auth, BearerAuth


class OpenAIConnection(DeclaredConnection):
    """An OpenAI organisation, by an Admin key."""

    vendor_url: ClassVar[str] = "https://api.openai.com/v1"
    # No quota is published; a connector asks once a second.
    vendor_requests_per_minute: ClassVar[int | None] = 60
    rights: ClassVar[str] = "an Admin key with `api.usage.read` of an organisation's owner"

    kind: Literal["openai"]
    api_key: SecretStr = Field(description="An Admin key (`sk-admin-...`); project keys are refused.")

    def auth(self) -> Auth:
        """Returns the key as a bearer token."""
        return BearerAuth(kind="bearer", token=self.api_key)

    def probe_path(self) -> str:
        """Returns the projects, of which one would do."""
        return "/organization/projects?limit=1"
