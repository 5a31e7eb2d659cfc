"""Whether an incident.io workspace answers its API key."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import IncidentIoConnection
from penstock.sources.base import DatasetSpec
from tasks.probing.asking import ask_once
from tasks.probing.contract import Seen
from tasks.sources.http.request import HttpRequest
from tasks.sources.incident_io.connection import settings_of


def probe(
    name: str, connection: IncidentIoConnection, _datasets: Sequence[DatasetSpec], *, timeout_seconds: float
) -> Seen:
    """Asks whose key it is, which needs no scope; whether its scopes suffice, an extraction shows."""
    ask_once(settings_of(name, connection), HttpRequest("/v1/identity", "/v1/identity"), timeout_seconds)
    return Seen("the workspace answers this key")
