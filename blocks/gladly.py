"""The block of a Gladly organisation."""

from __future__ import annotations

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import GladlyConnection


class GladlyCredentials(ConnectionBlock):
    """A Gladly organisation and an API user's token.

    Example:
        Load stored credentials:
        ```python
        from blocks.gladly import GladlyCredentials

        connection = GladlyCredentials.load("warbyparker").to_connection()
        ```
    """

    _block_type_name = "Penstock Gladly"
    _block_type_slug = "penstock-gladly"
    _documentation_url = HttpUrl("https://help.gladly.com/docs/generate-api-tokens-and-create-webhooks")

    organization: str = Field(
        title="Organisation", description="Its name, its name and region (`acme.us-1`), or its pasted address."
    )
    email: str = Field(title="E-mail", description="Address of a Gladly user with the API User permission.")
    token: SecretStr = Field(title="API token", description="A token of that user; it opens all of the API.")
    base_url: str | None = Field(
        default=None,
        title="Another address",
        description="Only for a sandbox: the whole address, with `/api/v1`. Credentials are sent there.",
    )
    requests_per_second: int | None = Field(
        default=None, ge=1, title="Requests per second", description="Pace of all calls; Gladly's limit of 10 if empty."
    )
    reports_per_minute: int | None = Field(
        default=None, ge=1, title="Reports per minute", description="Pace of reports; Gladly's limit of 10 if empty."
    )
    concurrent_reports: int = Field(
        default=2, ge=1, title="Reports at once", description="How many reports may run at once; Gladly allows two."
    )

    def to_connection(self) -> GladlyConnection:
        """Returns the connection that the block holds."""
        return GladlyConnection(
            kind="gladly",
            organization=self.organization,
            email=self.email,
            token=self.token,
            base_url=self.base_url,
            requests_per_second=self.requests_per_second,
            reports_per_minute=self.reports_per_minute,
            concurrent_reports=self.concurrent_reports,
        )
