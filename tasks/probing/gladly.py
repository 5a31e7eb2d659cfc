"""Whether a Gladly organisation answers its API user."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import GladlyConnection
from penstock.sources.base import DatasetSpec
from tasks.probing.asking import ask_once
from tasks.probing.contract import Seen
from tasks.sources.gladly.connection import settings_of
from tasks.sources.http.request import HttpRequest


def probe(name: str, connection: GladlyConnection, _datasets: Sequence[DatasetSpec], *, timeout_seconds: float) -> Seen:
    """Asks for the organisation, Gladly's smallest answer; any API user may."""
    ask_once(settings_of(name, connection), HttpRequest("/organization", "/organization"), timeout_seconds)
    return Seen("the organisation answers this user")
