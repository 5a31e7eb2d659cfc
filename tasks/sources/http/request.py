"""What the HTTP client is told: a connection's settings, and one question to its API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.connections import Auth, NoAuth
from tasks.sources.http.limiter import EVERY_REQUEST, Budget


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """A connection, as the client needs it."""

    connection_name: str
    base_url: str
    auth: Auth = field(default=NoAuth(kind="none"), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    timeout_seconds: float = 60.0
    rights: str = "the right to read this"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One question to the API; what it holds beside its endpoint is never shown.

    Args:
        url: A path below the connection's address, or an address on its host.
        endpoint: How errors and logs call it.
        budget: Name of a budget of the connection that it counts against, beside the one of all requests.
        is_signed: Whether the address carries its own authorisation: it may lead to any host, and gets no credentials.
    """

    url: str = field(repr=False)
    endpoint: str
    method: str = "GET"
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    accept: str = "application/json"
    budget: str = EVERY_REQUEST
    is_signed: bool = False
