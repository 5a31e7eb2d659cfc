"""Connections of APIs whose endpoints Penstock declares: each says what it is as a connection of an HTTP API."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Literal

from pydantic import Field

from penstock.connections.base import Address, ConnectionSpec, RateLimit
from penstock.connections.rest import Auth, RestConnection


class DeclaredConnection(ConnectionSpec):
    """A vendor's API, and the account's credentials."""

    vendor_url: ClassVar[str] = ""
    """Where the vendor's own API is; empty where every customer has an address of their own."""
    vendor_requests_per_minute: ClassVar[int | None] = None
    """The pace that the vendor publishes, or that connectors found to hold."""
    concurrent_requests: ClassVar[int | None] = None
    probe_method: ClassVar[Literal["GET", "POST"]] = "GET"
    rights: ClassVar[str] = "the right to read this"
    """What a 403 says is missing."""

    base_url: Address | None = Field(default=None, description="Another address than the vendor's, for a sandbox.")
    requests_per_minute: int | None = Field(
        default=None, ge=1, description="Pace of all calls. Default: the vendor's, or none of ours at another address."
    )

    @abstractmethod
    def auth(self) -> Auth:
        """Returns how a request is authorised."""

    @abstractmethod
    def probe_path(self) -> str:
        """Returns what any key with the needed rights may ask for, in a small answer."""

    def headers(self) -> dict[str, str]:
        """Returns what every request says besides."""
        return {}

    def parameters(self) -> dict[str, str]:
        """Returns what stands in every request's query."""
        return {}

    def to_rest(self) -> RestConnection:
        """Returns the connection as one of an HTTP API."""
        pace = self.requests_per_minute or (None if self.base_url else self.vendor_requests_per_minute)
        return RestConnection(
            kind="rest",
            base_url=self.base_url or self.vendor_url,
            auth=self.auth(),
            headers=self.headers(),
            parameters=self.parameters(),
            rate_limit=RateLimit(requests=pace, seconds=60.0) if pace else None,
            concurrent_requests=self.concurrent_requests,
        )
