"""A LiteLLM gateway."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from penstock.connections.base import Address
from penstock.connections.declared import DeclaredConnection
from penstock.connections.rest import Auth, BearerAuth


class LiteLLMConnection(DeclaredConnection):
    """A LiteLLM gateway, by a key that may read all of its users."""

    # Each of these reads keeps the gateway's own database busy.
    concurrent_requests: ClassVar[int | None] = 1
    rights: ClassVar[str] = "a master key, or one of a proxy admin"

    kind: Literal["litellm"]
    base_url: Address = Field(description="Where the gateway is.")
    api_key: SecretStr = Field(description="The master key, or a key of a proxy admin (`sk-...`).")

    def auth(self) -> Auth:
        """Returns the key as a bearer token."""
        return BearerAuth(kind="bearer", token=self.api_key)

    def probe_path(self) -> str:
        """Returns the gateway's users, of which one would do: a key without the admin's role gets a 403."""
        return "/user/list?page=1&page_size=1"
