"""The block of a Cursor team."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr

from blocks.declared import DeclaredApiBlock
from penstock.connections import CursorConnection, DeclaredConnection


class CursorCredentials(DeclaredApiBlock):
    """A Cursor team, by a key of an administrator.

    Example:
        Load stored credentials:
        ```python
        from blocks.cursor import CursorCredentials

        connection = CursorCredentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock Cursor"
    _block_type_slug = "penstock-cursor"
    _documentation_url = HttpUrl("https://docs.cursor.com/account/teams/admin-api")
    connection_type: ClassVar[type[DeclaredConnection]] = CursorConnection

    api_key: SecretStr = Field(title="API key", description="Made by an administrator of the team (crsr_...).")
