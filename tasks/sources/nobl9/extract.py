"""Extracts one report of a Nobl9 organisation."""

from __future__ import annotations

from typing import cast

from penstock.connections import Nobl9Connection
from penstock.sources.nobl9 import Nobl9Dataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.nobl9.catalog import declared
from tasks.sources.nobl9.connection import settings_of
from tasks.sources.rest.extract import write_endpoint


def extract(
    request: ExtractRequest, connection: Nobl9Connection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    dataset = cast("Nobl9Dataset", request.dataset)
    with HttpClient(settings_of(request.connection_name, connection), clock=clock) as client:
        write_endpoint(client, declared(dataset), request.interval, sink)
