"""Sourcegraph's analytics service."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from penstock.connections.base import Address
from penstock.connections.declared import DeclaredConnection
from penstock.connections.rest import Auth, BearerAuth


class SourcegraphConnection(DeclaredConnection):
    """A Sourcegraph instance, by a token of the analytics service, which is separate from the instance."""

    vendor_url: ClassVar[str] = "https://analytics.sourcegraph.com"
    rights: ClassVar[str] = "a token of the analytics service that may see this instance"

    kind: Literal["sourcegraph"]
    instance_url: Address = Field(description="The instance whose use is asked for, such as https://sg.example.com.")
    token: SecretStr = Field(description="A token made in the analytics service.")

    def auth(self) -> Auth:
        """Returns the token as a bearer token."""
        return BearerAuth(kind="bearer", token=self.token)

    def parameters(self) -> dict[str, str]:
        """Returns the instance that every request names."""
        return {"instanceURL": self.instance_url}

    def probe_path(self) -> str:
        """Returns one day of the smallest report."""
        return "/api/reports/by-user-client-date?granularity=by_user&startDate=2026-01-01&endDate=2026-01-01"
