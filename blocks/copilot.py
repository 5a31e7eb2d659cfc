"""The block of GitHub Copilot."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr

from blocks.declared import DeclaredApiBlock
from penstock.connections import CopilotConnection, DeclaredConnection


class CopilotCredentials(DeclaredApiBlock):
    """GitHub Copilot, by a token and whose use it reads.

    Example:
        Load stored credentials:
        ```python
        from blocks.copilot import CopilotCredentials

        connection = CopilotCredentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock GitHub Copilot"
    _block_type_slug = "penstock-copilot"
    _documentation_url = HttpUrl("https://docs.github.com/en/rest/copilot/copilot-usage-metrics")
    connection_type: ClassVar[type[DeclaredConnection]] = CopilotConnection

    token: SecretStr = Field(title="Token", description="A GitHub token that may read Copilot's metrics.")
    organizations: tuple[str, ...] = Field(
        default=(), title="Organisations", description="Whose use is read, by their names at GitHub."
    )
    enterprise: str | None = Field(
        default=None, title="Enterprise", description="Or besides: the enterprise whose use is read, by its slug."
    )
