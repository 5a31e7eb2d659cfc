"""Whether a Datadog organisation answers its two keys."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.connections import DatadogSloConnection
from penstock.sources.base import DatasetSpec
from tasks.probing.asking import ask_once
from tasks.probing.contract import Seen
from tasks.sources.datadog_slo.connection import settings_of
from tasks.sources.http.request import HttpRequest


def probe(
    name: str, connection: DatadogSloConnection, _datasets: Sequence[DatasetSpec], *, timeout_seconds: float
) -> Seen:
    """Asks for one SLO, which needs both keys and the right to read SLOs."""
    ask_once(
        settings_of(name, connection),
        HttpRequest("/api/v1/slo", "/api/v1/slo", parameters={"limit": 1}),
        timeout_seconds,
    )
    return Seen("the SLOs can be listed with these keys")
