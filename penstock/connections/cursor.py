"""A Cursor team."""

from __future__ import annotations

import base64
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from penstock.connections.declared import DeclaredConnection
from penstock.connections.rest import ApiKeyAuth, Auth


class CursorConnection(DeclaredConnection):
    """A Cursor team, by a key of one of its administrators."""

    vendor_url: ClassVar[str] = "https://api.cursor.com"
    # 20 a minute for most endpoints and 60 for usage events, per team: the smaller one for all.
    vendor_requests_per_minute: ClassVar[int | None] = 20
    rights: ClassVar[str] = "a key of a team administrator; most endpoints need the Enterprise plan"

    kind: Literal["cursor"]
    api_key: SecretStr = Field(description="A key made by a team administrator (`crsr_...` or `key_...`).")

    def auth(self) -> Auth:
        """Returns the key as the user of HTTP Basic, whose password is empty; as a header, for a user is no secret."""
        pair = base64.b64encode(f"{self.api_key.get_secret_value()}:".encode()).decode("ascii")
        return ApiKeyAuth(kind="api_key", name="Authorization", value=SecretStr(f"Basic {pair}"))

    def probe_path(self) -> str:
        """Returns the team's members."""
        return "/teams/members"
