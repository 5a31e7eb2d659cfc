"""Extracts a report, one file of the export jobs, or a collection of a Gladly organisation."""

from __future__ import annotations

from typing import cast

from penstock.connections import GladlyConnection
from penstock.sources.gladly import GladlyDataset
from penstock.sources.rest import NoPaging
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.gladly.connection import settings_of
from tasks.sources.gladly.exports import write_exports
from tasks.sources.gladly.reports import write_report
from tasks.sources.http.client import HttpClient
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.http.request import HttpRequest
from tasks.sources.rest.files import JsonLinesFiles
from tasks.sources.rest.page import Endpoint
from tasks.sources.rest.walk import walk


def extract(
    request: ExtractRequest, connection: GladlyConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    dataset = cast("GladlyDataset", request.dataset)
    with HttpClient(settings_of(request.connection_name, connection), clock=clock) as client:
        if dataset.report is not None:
            write_report(client, dataset, request.interval, sink)
        elif dataset.export is not None:
            write_exports(client, dataset.export, request.interval, sink)
        else:
            _write_collection(client, f"/{dataset.collection}", sink)


def _write_collection(client: HttpClient, path: str, sink: ExtractSink) -> None:
    """Writes an array that comes whole, without paging."""
    endpoint = Endpoint(HttpRequest(path, path), records="", paging=NoPaging(kind="none"))
    with JsonLinesFiles(sink, path) as files:
        for page in walk(client, endpoint):
            files.write(page.lines, len(page.records), was_mended=page.was_mended)
