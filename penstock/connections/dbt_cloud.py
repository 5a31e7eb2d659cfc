"""A dbt Cloud account."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from penstock.connections.base import Address, ConnectionSpec


class DbtCloudConnection(ConnectionSpec):
    """A dbt Cloud account and a token that may run its jobs."""

    kind: Literal["dbt_cloud"]
    account_id: int = Field(ge=1, description="The number behind `/accounts/` or `/deploy/` in dbt Cloud's addresses.")
    token: SecretStr = Field(description="A service token with the permission set Job Admin, or a user's own token.")
    base_url: Address = Field(
        default="https://cloud.getdbt.com",
        description="The account's access URL, such as https://ab123.us1.dbt.com; without `/api`.",
    )
