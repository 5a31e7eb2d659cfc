"""What the HTTP client is told: a connection's settings, and one question to its API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.connections import Auth, NoAuth
from tasks.sources.http.credentials import Credentials
from tasks.sources.http.failures import Failure
from tasks.sources.http.limiter import EVERY_REQUEST, Budget
from tasks.sources.http.policy import Clock

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """A connection, as the client needs it.

    Args:
        not_ready: Success statuses that bring no answer yet, so that the same request is sent again.
        request_id_header: The response header by which the API's support finds a request; errors carry it.
        rights: What a 403 is told to ask for.
        pause_header: Header that says in seconds when the limit is over, where an answer has no `Retry-After`.
        auth: Its credentials, where they are of a general kind.
        credentials: Or what makes them: of an API that has a way of its own.
        refusal: Reads what an API says in a refusal's body, where the status alone is misleading; None is no opinion.
    """

    connection_name: str
    base_url: str
    auth: Auth = field(default=NoAuth(kind="none"), repr=False)
    credentials: Callable[[httpx.Client, Clock], Credentials] | None = field(default=None, repr=False)
    refusal: Callable[[int, bytes], Failure | None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    budgets: Mapping[str, Budget] = field(default_factory=dict)
    timeout_seconds: float = 60.0
    rights: str = "the right to read this"
    not_ready: frozenset[int] = frozenset()
    request_id_header: str | None = None
    pause_header: str | None = None


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One question to the API; what it holds beside its endpoint is never shown.

    Args:
        url: A path below the connection's address, or an address on its host.
        endpoint: How errors and logs call it.
        budget: Name of a budget of the connection that it counts against, beside the one of all requests.
        cost: What it counts there, where an API weighs its requests.
        is_signed: Whether the address carries its own authorisation: it may lead to any host, and gets no credentials.
    """

    url: str = field(repr=False)
    endpoint: str
    method: str = "GET"
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    accept: str = "application/json"
    budget: str = EVERY_REQUEST
    cost: int = 1
    is_signed: bool = False
