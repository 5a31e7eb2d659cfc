"""The block of a Nobl9 organisation."""

from __future__ import annotations

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import Nobl9Connection


class Nobl9Credentials(ConnectionBlock):
    """A Nobl9 organisation and an access key.

    Example:
        Load stored credentials:
        ```python
        from blocks.nobl9 import Nobl9Credentials

        connection = Nobl9Credentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock Nobl9"
    _block_type_slug = "penstock-nobl9"
    _documentation_url = HttpUrl("https://docs.nobl9.com/api/slo-v2")

    organization: str = Field(title="Organisation", description="The organisation's id, which every request names.")
    client_id: str = Field(title="Client id", description="Of an access key (Settings > Access keys).")
    client_secret: SecretStr = Field(title="Client secret", description="Of the same access key.")
    base_url: str | None = Field(
        default=None,
        title="Another address",
        description="Only for a sandbox: the whole address, with `/api`. The key is sent there.",
    )

    def to_connection(self) -> Nobl9Connection:
        """Returns the connection that the block holds."""
        return Nobl9Connection(
            kind="nobl9",
            organization=self.organization,
            client_id=self.client_id,
            client_secret=self.client_secret,
            base_url=self.base_url,
        )
