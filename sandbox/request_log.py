"""What was asked of the sandbox: enough to assert on paging, pace and retries, and nothing secret."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from threading import Lock
from urllib.parse import parse_qsl, urlencode

MASK = "***"
_KEPT_REQUESTS = 100_000


@dataclass(slots=True)
class RecordedRequest:
    """One request as the sandbox saw it; status and detail are filled in just before the answer is sent.

    Args:
        service: First path segment, `gladly` or `rest`.
        query: The query string with secret values masked.
        status: What was answered; None while nothing is, and when the connection was dropped instead.
        at: Monotonic seconds when the request came in.
        detail: What the service says was asked where the path does not tell, such as a report's name and days.
    """

    service: str
    method: str
    path: str
    query: str
    at: float
    status: int | None = None
    detail: str = ""


class RequestLog:
    """The newest requests in the order in which they came in.

    Args:
        secret_parameters: Query parameters whose values are never kept, lower case.
    """

    def __init__(self, secret_parameters: Iterable[str] = ()) -> None:
        self._lock = Lock()
        self._requests: deque[RecordedRequest] = deque(maxlen=_KEPT_REQUESTS)
        self._secret_parameters = {"api_key", "apikey", "access_token", "client_secret", *secret_parameters}

    def hide_parameter(self, name: str) -> None:
        """Masks one more query parameter from here on."""
        self._secret_parameters.add(name.lower())

    def record(self, request: RecordedRequest) -> None:
        """Keeps one request, whose query is masked already."""
        with self._lock:
            self._requests.append(request)

    def masked(self, query: bytes) -> str:
        """Returns a query string without the values of secret parameters."""
        text = query.decode("latin-1")
        lowered = text.lower()
        if not any(name in lowered for name in self._secret_parameters):
            return text
        pairs = parse_qsl(text, keep_blank_values=True)
        masked = [(name, MASK if name.lower() in self._secret_parameters else value) for name, value in pairs]
        return urlencode(masked, safe="*")

    def requests(self, path: str = "*", *, service: str | None = None) -> list[RecordedRequest]:
        """Returns the requests whose path matches a shell pattern, oldest first."""
        with self._lock:
            kept = list(self._requests)
        return [r for r in kept if fnmatchcase(r.path, path) and (service is None or r.service == service)]

    def clear(self) -> None:
        """Forgets every request."""
        with self._lock:
            self._requests.clear()

    def __len__(self) -> int:
        return len(self._requests)
