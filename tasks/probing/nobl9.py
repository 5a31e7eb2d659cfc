"""Whether a Nobl9 organisation gives out a token and answers it."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import Nobl9Connection
from penstock.sources.base import DatasetSpec
from tasks.probing.asking import ask_once
from tasks.probing.contract import Seen
from tasks.sources.http.request import HttpRequest
from tasks.sources.nobl9.connection import settings_of


def probe(name: str, connection: Nobl9Connection, _datasets: Sequence[DatasetSpec], *, timeout_seconds: float) -> Seen:
    """Asks for one SLO."""
    ask_once(
        settings_of(name, connection), HttpRequest("/v2/slos", "/v2/slos", parameters={"limit": 1}), timeout_seconds
    )
    return Seen("the SLOs can be listed with this access key")
