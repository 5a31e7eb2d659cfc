"""A Nobl9 organisation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from penstock.connections.base import Address, ConnectionSpec


class Nobl9Connection(ConnectionSpec):
    """A Nobl9 organisation and an access key's client id and secret."""

    kind: Literal["nobl9"]
    organization: str = Field(min_length=1, description="The organisation's id, which every request names.")
    client_id: str
    client_secret: SecretStr
    base_url: Address | None = Field(
        default=None, description="Another address than https://app.nobl9.com/api, for a sandbox."
    )
