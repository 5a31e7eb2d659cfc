"""The block of a Windsurf team."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr

from blocks.declared import DeclaredApiBlock
from penstock.connections import DeclaredConnection, WindsurfConnection


class WindsurfCredentials(DeclaredApiBlock):
    """A Windsurf team, by a service key.

    Example:
        Load stored credentials:
        ```python
        from blocks.windsurf import WindsurfCredentials

        connection = WindsurfCredentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock Windsurf"
    _block_type_slug = "penstock-windsurf"
    _documentation_url = HttpUrl("https://docs.windsurf.com/plugins/accounts/api-reference/api-introduction")
    connection_type: ClassVar[type[DeclaredConnection]] = WindsurfConnection

    service_key: SecretStr = Field(title="Service key", description="A service key whose role has Teams Read-only.")
    group_name: str | None = Field(default=None, title="Group", description="Only the members of this group.")
