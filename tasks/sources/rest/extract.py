"""Extracts one endpoint for one interval into JSON-lines files, each record as the API's own bytes."""

from __future__ import annotations

from typing import cast

import msgspec

from penstock.artifacts import Interval
from penstock.connections import RestConnection
from penstock.sources.rest import RestDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.limiter import EVERY_REQUEST, Budget
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.http.request import HttpRequest, HttpSettings
from tasks.sources.rest.children import parent_values, write_children
from tasks.sources.rest.files import JsonLinesFiles
from tasks.sources.rest.narrowing import Within
from tasks.sources.rest.page import Endpoint, Step, bronze_lines
from tasks.sources.rest.times import ignored_window
from tasks.sources.rest.walk import request_for, walk
from tasks.sources.rest.window import asked_interval, pieces_of, window_values


def extract(
    request: ExtractRequest, connection: RestConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    with HttpClient(settings_of(request.connection_name, connection), clock=clock) as client:
        write_endpoint(client, cast("RestDataset", request.dataset), request.interval, sink)


def write_endpoint(client: HttpClient, dataset: RestDataset, interval: Interval, sink: ExtractSink) -> None:
    """Writes an endpoint's records for an interval; sources that declare their endpoints as data come here too."""
    pieces = pieces_of(dataset.window_parameters, interval)
    with JsonLinesFiles(sink, dataset.path) as files:
        if dataset.parent is None:
            for piece in pieces:
                _write_pages(client, dataset, piece, sink, files)
        else:
            values = parent_values(client, dataset.parent, sink.warn)
            gone = 0
            for piece in pieces:
                gone = max(gone, write_children(client, endpoint_of(dataset, piece), dataset.parent, values, files))
            if gone:
                sink.warn(f"{gone} of {len(values)} parents were gone when their children were asked for")


def _write_pages(
    client: HttpClient, dataset: RestDataset, interval: Interval, sink: ExtractSink, files: JsonLinesFiles
) -> None:
    endpoint, window = endpoint_of(dataset, interval), dataset.window_parameters
    for number, page in enumerate(walk(client, endpoint, sink.warn)):
        if number == 0 and window is not None:
            doubt = ignored_window(page.records, asked_interval(window, interval))
            if doubt is not None:
                sink.warn(doubt)
        kept = bronze_lines(page, endpoint)
        files.write(kept.lines, len(kept.records), was_mended=kept.was_mended)


def settings_of(connection_name: str, connection: RestConnection) -> HttpSettings:
    """Returns a connection as the HTTP client needs it."""
    budgets = {EVERY_REQUEST: Budget(connection.rate_limit)} if connection.rate_limit else {}
    return HttpSettings(
        connection_name=connection_name,
        base_url=connection.base_url,
        auth=connection.auth,
        headers=connection.headers,
        budgets=budgets,
        timeout_seconds=connection.timeout_seconds,
    )


def endpoint_of(dataset: RestDataset, interval: Interval) -> Endpoint:
    """Returns what to ask for a dataset's interval.

    Raises:
        ConfigurationError: The API cannot be asked for this interval.
    """
    window = dataset.window_parameters
    base = Endpoint(
        request=HttpRequest(
            dataset.path, dataset.path, method=dataset.method, parameters=dataset.parameters, body=dataset.body
        ),
        records=dataset.records,
        paging=dataset.paging,
        is_single=dataset.single_record,
        absent_is_empty=dataset.records_may_be_absent,
        total=dataset.total,
        total_header=dataset.total_header,
        total_is_optional=dataset.total_may_be_absent,
        concurrency=dataset.concurrency,
        max_pages=dataset.max_pages,
    )
    if window is None:
        return base
    values = window_values(window, interval)
    return base._replace(
        request=request_for(base, Step(values, window.location)),
        within=Within(window.narrowed_by, interval) if window.narrowed_by is not None else None,
        carried={name: msgspec.json.encode(value) for name, value in values.items()} if window.carried else {},
    )
