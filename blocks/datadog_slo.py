"""The block of a Datadog organisation's service level objectives."""

from __future__ import annotations

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import DatadogSloConnection


class DatadogSloCredentials(ConnectionBlock):
    """A Datadog organisation's site and keys.

    Example:
        Load stored credentials:
        ```python
        from blocks.datadog_slo import DatadogSloCredentials

        connection = DatadogSloCredentials.load("orbit").to_connection()
        ```
    """

    _block_type_name = "Penstock Datadog SLO"
    _block_type_slug = "penstock-datadog-slo"
    _documentation_url = HttpUrl("https://docs.datadoghq.com/api/latest/service-level-objectives/")

    api_key: SecretStr = Field(title="API key", description="Sent as DD-API-KEY.")
    application_key: SecretStr = Field(
        title="Application key", description="Sent as DD-APPLICATION-KEY; it must have the right slos_read."
    )
    site: str = Field(
        default="datadoghq.com", title="Site", description="Such as `datadoghq.eu`; the address is https://api.<site>."
    )
    base_url: str | None = Field(
        default=None, title="Another address", description="Only for a sandbox. The keys are sent there."
    )

    def to_connection(self) -> DatadogSloConnection:
        """Returns the connection that the block holds."""
        return DatadogSloConnection(
            kind="datadog_slo",
            api_key=self.api_key,
            application_key=self.application_key,
            site=self.site,
            base_url=self.base_url,
        )
