"""The block of a Sprout Social customer."""

from __future__ import annotations

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import SproutSocialConnection


class SproutSocialCredentials(ConnectionBlock):
    """A Sprout Social customer, and an API token or the client of an OAuth application.

    Example:
        Load stored credentials:
        ```python
        from blocks.sprout_social import SproutSocialCredentials

        connection = SproutSocialCredentials.load("warbyparker").to_connection()
        ```
    """

    _block_type_name = "Penstock Sprout Social"
    _block_type_slug = "penstock-sprout-social"
    _documentation_url = HttpUrl("https://api.sproutsocial.com/docs/")

    token: SecretStr | None = Field(
        default=None, title="API token", description="From Settings, Global Features, API; it does not expire."
    )
    client_id: str | None = Field(
        default=None, title="Client id", description="Instead of a token: the client of an OAuth application."
    )
    client_secret: SecretStr | None = Field(default=None, title="Client secret", description="That client's secret.")
    customer_id: int | None = Field(
        default=None, ge=1, title="Customer id", description="Only where the credentials open several customers."
    )
    base_url: str | None = Field(
        default=None,
        title="Another address",
        description="Only for a sandbox: the address without `/v1`. Credentials are sent there.",
    )
    token_url: str | None = Field(
        default=None, title="Another token address", description="Where the client gets tokens; Sprout's own if empty."
    )
    requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        title="Requests per minute",
        description="Pace of all calls; 55 of the 60 that Sprout allows a customer if empty.",
    )

    def to_connection(self) -> SproutSocialConnection:
        """Returns the connection that the block holds."""
        return SproutSocialConnection(
            kind="sprout_social",
            token=self.token,
            client_id=self.client_id,
            client_secret=self.client_secret,
            customer_id=self.customer_id,
            base_url=self.base_url,
            token_url=self.token_url,
            requests_per_minute=self.requests_per_minute,
        )
