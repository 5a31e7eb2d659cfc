"""Endpoints that answer with a CSV file, which goes into the lake as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.artifacts import FileFormat
from tasks.sources.contract import ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.rest.page import Endpoint
from tasks.sources.streams import CsvRecords

if TYPE_CHECKING:
    import httpx

_NO_CONTENT = 204


def write_csv_answer(client: HttpClient, endpoint: Endpoint, name: str, sink: ExtractSink) -> None:
    """Writes one answer into a file; a 204 or an empty body is no row and no file.

    Raises:
        DataError: What comes is no CSV with a header.
    """
    request = replace(endpoint.request, accept="text/csv")
    client.fetch(request, lambda response: _write(response, name, endpoint.request.endpoint, sink))


def _write(response: httpx.Response, name: str, source_name: str, sink: ExtractSink) -> None:
    parts = response.iter_bytes()
    first = next(parts, b"")
    if response.status_code == _NO_CONTENT or not first:
        return
    records = CsvRecords()
    with sink.open_file(name, format=FileFormat.CSV, source_name=source_name) as file:
        file.write(first, records.feed(first))
        for data in parts:
            file.write(data, records.feed(data))
        file.write(b"", records.finish())
