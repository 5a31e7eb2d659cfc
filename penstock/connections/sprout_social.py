"""A Sprout Social customer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from penstock.connections.base import Address, ConnectionSpec


class SproutSocialConnection(ConnectionSpec):
    """A Sprout Social customer, and an API token or the client of an OAuth application.

    The customer is found by the credentials where `customer_id` is empty and they open one alone.
    """

    kind: Literal["sprout_social"]
    token: SecretStr | None = Field(default=None, description="An API token, which does not expire.")
    client_id: str | None = Field(default=None, description="Or an OAuth application's client.")
    client_secret: SecretStr | None = None
    customer_id: int | None = Field(default=None, ge=1, description="Needed only where the token opens several.")
    base_url: Address | None = Field(default=None, description="Another address than Sprout's, without `/v1`.")
    token_url: Address | None = Field(default=None, description="Where the client gets tokens; Sprout's own if empty.")
    requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Pace of all calls. Default: 55 of Sprout's 60, or none of ours at another address.",
    )

    @model_validator(mode="after")
    def _has_one_kind_of_credentials(self) -> SproutSocialConnection:
        if bool(self.client_id) != bool(self.client_secret):
            raise ValueError("client_id and client_secret are given together")
        if bool(self.token) == bool(self.client_id):
            raise ValueError("give `token`, or `client_id` with `client_secret`")
        return self
