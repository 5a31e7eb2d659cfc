"""A Gladly organisation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from penstock.connections.base import Address, ConnectionSpec


class GladlyConnection(ConnectionSpec):
    """A Gladly organisation and an API user's token."""

    kind: Literal["gladly"]
    organization: str = Field(description="`org`, `org.region`, or the pasted address.")
    email: str
    token: SecretStr
    base_url: Address | None = Field(
        default=None, description="Another address than Gladly's, for a sandbox; whole, with `/api/v1`."
    )
    requests_per_second: int | None = Field(
        default=None, ge=1, description="Pace of all calls. Default: Gladly's 10, or none of ours at another address."
    )
    reports_per_minute: int | None = Field(
        default=None, ge=1, description="Pace of reports. Default: Gladly's 10, or none of ours at another address."
    )
    concurrent_reports: int = Field(default=2, ge=1, description="Reports at once; Gladly allows two.")
