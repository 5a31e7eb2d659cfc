"""One request to an API, the least that proves that it answers and takes the credentials."""

from __future__ import annotations

from dataclasses import replace

from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import RetryPolicy
from tasks.sources.http.request import HttpRequest, HttpSettings

_ONCE = RetryPolicy(attempts=1)


def ask_once(settings: HttpSettings, request: HttpRequest, timeout_seconds: float) -> None:
    """Sends a request and lets its answer be.

    Raises:
        PenstockError: The API cannot be reached, or refuses.
    """
    impatient = replace(settings, timeout_seconds=min(settings.timeout_seconds, timeout_seconds))
    with HttpClient(impatient, policy=_ONCE) as client:
        client.fetch(request, lambda _answer: None)
