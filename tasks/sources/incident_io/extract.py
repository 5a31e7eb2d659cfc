"""Extracts one resource of an incident.io workspace."""

from __future__ import annotations

from typing import cast

from penstock.connections import IncidentIoConnection
from penstock.sources.incident_io import IncidentIoDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.incident_io.catalog import declared
from tasks.sources.incident_io.connection import settings_of
from tasks.sources.rest.extract import write_endpoint


def extract(
    request: ExtractRequest, connection: IncidentIoConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    dataset = cast("IncidentIoDataset", request.dataset)
    with HttpClient(settings_of(request.connection_name, connection), clock=clock) as client:
        write_endpoint(client, declared(dataset), request.interval, sink)
