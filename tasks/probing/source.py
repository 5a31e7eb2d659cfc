"""Whether a source's API answers, and takes the credentials."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from penstock.connections import GladlyConnection, RestConnection
from penstock.errors import RejectedError
from tasks.probing.contract import Seen
from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import RetryPolicy
from tasks.sources.http.request import HttpRequest, HttpSettings

_ONCE = RetryPolicy(attempts=1)
# An API that says one of these has looked at the credentials first, or has none to look at.
_REACHED = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.NOT_ACCEPTABLE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


def probe_gladly(name: str, connection: GladlyConnection, *, timeout_seconds: float) -> Seen:
    """Asks for the organisation, Gladly's smallest answer; any API user may.

    Raises:
        PenstockError: Gladly cannot be reached, or refuses.
    """
    from tasks.sources.gladly.connection import settings_of

    _ask(settings_of(name, connection), "/organization", timeout_seconds)
    return Seen("the organisation answers this user")


def probe_rest(name: str, connection: RestConnection, path: str | None, *, timeout_seconds: float) -> Seen:
    """Asks for a dataset's path without reading the answer, or for the API's own address where there is none.

    Raises:
        PenstockError: the API cannot be reached, or refuses the credentials.
    """
    from tasks.sources.rest.extract import settings_of

    try:
        _ask(settings_of(name, connection), path or "", timeout_seconds)
    except RejectedError as error:
        status = error.facts.get("status")
        if status not in _REACHED or (path is not None and status == HTTPStatus.NOT_FOUND):
            raise
        return Seen(f"answers {status} to a bare request: reached, and the credentials are not refused")
    return Seen(f"{path or 'its address'} answers")


def _ask(settings: HttpSettings, path: str, timeout_seconds: float) -> None:
    impatient = replace(settings, timeout_seconds=min(settings.timeout_seconds, timeout_seconds))
    with HttpClient(impatient, policy=_ONCE) as client:
        client.fetch(HttpRequest(path, path or "/"), lambda _answer: None)
