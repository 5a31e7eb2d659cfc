"""Extracts a report of any API whose endpoints are declared (`penstock.sources.declared`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from penstock.connections import DeclaredConnection
from penstock.sources.declared import DeclaredDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.http.request import HttpSettings
from tasks.sources.rest.extract import settings_of, write_endpoint


def extract(
    request: ExtractRequest, connection: DeclaredConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    dataset = cast("DeclaredDataset[Any]", request.dataset)
    with HttpClient(declared_settings(request.connection_name, connection), clock=clock) as client:
        write_endpoint(client, dataset.endpoint(connection), request.interval, sink)


def declared_settings(connection_name: str, connection: DeclaredConnection) -> HttpSettings:
    """Returns a connection as the HTTP client needs it."""
    return replace(settings_of(connection_name, connection.to_rest()), rights=connection.rights)
