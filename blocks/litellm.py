"""The block of a LiteLLM gateway."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr

from blocks.declared import DeclaredApiBlock
from penstock.connections import DeclaredConnection, LiteLLMConnection


class LiteLLMCredentials(DeclaredApiBlock):
    """A LiteLLM gateway, by a key that may read all of its users.

    Example:
        Load stored credentials:
        ```python
        from blocks.litellm import LiteLLMCredentials

        connection = LiteLLMCredentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock LiteLLM"
    _block_type_slug = "penstock-litellm"
    _documentation_url = HttpUrl("https://docs.litellm.ai/docs/proxy/cost_tracking")
    connection_type: ClassVar[type[DeclaredConnection]] = LiteLLMConnection

    base_url: str = Field(title="Address", description="Where the gateway is. The key is sent there.")
    api_key: SecretStr = Field(title="Key", description="The master key, or a key of a proxy admin (sk-...).")
