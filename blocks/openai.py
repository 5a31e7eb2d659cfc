"""The block of an OpenAI organisation."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr

from blocks.declared import DeclaredApiBlock
from penstock.connections import DeclaredConnection, OpenAIConnection


class OpenAICredentials(DeclaredApiBlock):
    """An OpenAI organisation, by an Admin key.

    Example:
        Load stored credentials:
        ```python
        from blocks.openai import OpenAICredentials

        connection = OpenAICredentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock OpenAI"
    _block_type_slug = "penstock-openai"
    _documentation_url = HttpUrl("https://platform.openai.com/docs/api-reference/usage")
    connection_type: ClassVar[type[DeclaredConnection]] = OpenAIConnection

    api_key: SecretStr = Field(title="Admin key", description="Made by an owner of the organisation (sk-admin-...).")
