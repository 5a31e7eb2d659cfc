"""The block of an Anthropic organisation."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr

from blocks.declared import DeclaredApiBlock
from penstock.connections import AnthropicConnection, DeclaredConnection


class AnthropicCredentials(DeclaredApiBlock):
    """An Anthropic organisation, by an Admin key.

    Example:
        Load stored credentials:
        ```python
        from blocks.anthropic import AnthropicCredentials

        connection = AnthropicCredentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock Anthropic"
    _block_type_slug = "penstock-anthropic"
    _documentation_url = HttpUrl("https://platform.claude.com/docs/en/build-with-claude/usage-cost-api")
    connection_type: ClassVar[type[DeclaredConnection]] = AnthropicConnection

    api_key: SecretStr = Field(
        title="Admin key", description="Made by an administrator of the organisation (sk-ant-admin...)."
    )
