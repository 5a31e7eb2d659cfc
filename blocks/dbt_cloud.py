"""The block of a dbt Cloud account.

It stands by itself, not on prefect-dbt's `DbtCloudCredentials`: that one names a host and always speaks HTTPS to it, so
that no sandbox can stand in, and importing it takes 2.4 s (prefect-dbt 0.7.25), which each run would pay.
"""

from __future__ import annotations

from pydantic import Field, HttpUrl, SecretStr

from blocks.base import ConnectionBlock
from penstock.connections import Address, DbtCloudConnection


class DbtCloudAccount(ConnectionBlock):
    """A dbt Cloud account and a token that may run its jobs.

    Example:
        Load stored credentials:
        ```python
        from blocks.dbt_cloud import DbtCloudAccount

        connection = DbtCloudAccount.load("acme").to_connection()
        ```
    """

    _block_type_name = "Penstock dbt Cloud"
    _block_type_slug = "penstock-dbt-cloud"
    _documentation_url = HttpUrl("https://docs.getdbt.com/docs/dbt-cloud-apis/service-tokens")

    account_id: int = Field(
        ge=1, title="Account id", description="The number behind `/accounts/` or `/deploy/` in dbt Cloud's addresses."
    )
    token: SecretStr = Field(
        title="Token", description="A service token with the permission set Job Admin, or a user's own token."
    )
    base_url: Address = Field(
        default="https://cloud.getdbt.com",
        title="Access URL",
        description="The account's own, such as https://ab123.us1.dbt.com; without `/api`. The token is sent there.",
    )

    def to_connection(self) -> DbtCloudConnection:
        """Returns the connection that the block holds."""
        return DbtCloudConnection(
            kind="dbt_cloud", account_id=self.account_id, token=self.token, base_url=self.base_url
        )
