"""Whether an HTTP API answers, and takes the credentials."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from penstock.connections import RestConnection
from penstock.errors import RejectedError
from penstock.sources.base import DatasetSpec
from penstock.sources.rest import RestDataset
from tasks.probing.asking import ask_once
from tasks.probing.contract import Seen
from tasks.sources.http.request import HttpRequest
from tasks.sources.rest.extract import settings_of

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


def probe(name: str, connection: RestConnection, datasets: Sequence[DatasetSpec], *, timeout_seconds: float) -> Seen:
    """Asks for a dataset's path without reading the answer, or for the API's own address where there is none."""
    path = _plain_path(datasets)
    try:
        ask_once(settings_of(name, connection), HttpRequest(path or "", path or "/"), timeout_seconds)
    except RejectedError as error:
        status = error.facts.get("status")
        if status not in _REACHED or (path is not None and status == HTTPStatus.NOT_FOUND):
            raise
        return Seen(f"answers {status} to a bare request: reached, and the credentials are not refused")
    return Seen(f"{path or 'its address'} answers")


def _plain_path(datasets: Sequence[DatasetSpec]) -> str | None:
    """Returns the path of a dataset that can be asked for as it is: it only reads, and needs no parent."""
    plain = (one for one in datasets if isinstance(one, RestDataset) and one.method == "GET" and one.parent is None)
    return next((one.path for one in plain), None)
