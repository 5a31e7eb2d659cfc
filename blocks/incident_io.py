"""The block of an incident.io workspace."""

from __future__ import annotations

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import IncidentIoConnection


class IncidentIoCredentials(ConnectionBlock):
    """An incident.io workspace's API key.

    Example:
        Load stored credentials:
        ```python
        from blocks.incident_io import IncidentIoCredentials

        connection = IncidentIoCredentials.load("orbit-payments").to_connection()
        ```
    """

    _block_type_name = "Penstock incident.io"
    _block_type_slug = "penstock-incident-io"
    _documentation_url = HttpUrl("https://api-docs.incident.io/")

    api_key: SecretStr = Field(title="API key", description="It decides the workspace, and by its scopes what is read.")
    base_url: str | None = Field(
        default=None, title="Another address", description="Only for a sandbox. The key is sent there."
    )
    requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        title="Requests per minute",
        description="Pace of all calls; incident.io's limit of 1200 if empty.",
    )

    def to_connection(self) -> IncidentIoConnection:
        """Returns the connection that the block holds."""
        return IncidentIoConnection(
            kind="incident_io",
            api_key=self.api_key,
            base_url=self.base_url,
            requests_per_minute=self.requests_per_minute,
        )
