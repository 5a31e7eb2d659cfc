"""The block of Sourcegraph's analytics service."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, HttpUrl, SecretStr

from blocks.declared import DeclaredApiBlock
from penstock.connections import DeclaredConnection, SourcegraphConnection


class SourcegraphCredentials(DeclaredApiBlock):
    """A Sourcegraph instance, by a token of the analytics service.

    Example:
        Load stored credentials:
        ```python
        from blocks.sourcegraph import SourcegraphCredentials

        connection = SourcegraphCredentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock Sourcegraph"
    _block_type_slug = "penstock-sourcegraph"
    _documentation_url = HttpUrl("https://sourcegraph.com/docs/analytics/api")
    connection_type: ClassVar[type[DeclaredConnection]] = SourcegraphConnection

    instance_url: str = Field(
        title="Instance", description="The instance whose use is read, such as https://sg.example.com."
    )
    token: SecretStr = Field(
        title="Token", description="A token made in the analytics service, which is separate from the instance."
    )
