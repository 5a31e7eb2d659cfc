"""Extracts one report of a Datadog organisation."""

from __future__ import annotations

from typing import cast

from penstock.connections import DatadogSloConnection
from penstock.sources.datadog_slo import DatadogSloDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.datadog_slo.catalog import declared
from tasks.sources.datadog_slo.connection import settings_of
from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.rest.extract import write_endpoint


def extract(
    request: ExtractRequest, connection: DatadogSloConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    dataset = cast("DatadogSloDataset", request.dataset)
    with HttpClient(settings_of(request.connection_name, connection), clock=clock) as client:
        write_endpoint(client, declared(dataset), request.interval, sink)
