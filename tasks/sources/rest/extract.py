"""Extracts one endpoint for one interval into JSON-lines files, each record as the API's own bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

from penstock.artifacts import Interval
from penstock.connections import RestConnection
from penstock.sources.rest import RestDataset
from tasks.sources.contract import ExtractRequest, ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.limiter import EVERY_REQUEST, Budget
from tasks.sources.http.policy import SYSTEM_CLOCK, Clock
from tasks.sources.http.request import HttpRequest, HttpSettings
from tasks.sources.rest.children import parent_values, write_children
from tasks.sources.rest.csv_answers import write_csv_answer
from tasks.sources.rest.downloads import read_downloads
from tasks.sources.rest.files import JsonLinesFiles
from tasks.sources.rest.narrowing import Within
from tasks.sources.rest.page import Endpoint, Page, Step, bronze_lines
from tasks.sources.rest.rows import shape_page
from tasks.sources.rest.times import ignored_window
from tasks.sources.rest.walk import request_for, walk
from tasks.sources.rest.window import asked_interval, parts_of, window_values


def extract(
    request: ExtractRequest, connection: RestConnection, sink: ExtractSink, *, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Extracts a dataset; see `tasks.sources.contract`."""
    with HttpClient(settings_of(request.connection_name, connection), clock=clock) as client:
        write_endpoint(client, cast("RestDataset", request.dataset), request.interval, sink)


def write_endpoint(client: HttpClient, dataset: RestDataset, interval: Interval, sink: ExtractSink) -> None:
    """Writes an endpoint's records for an interval; sources that declare their endpoints as data come here too."""
    parts = [(part, endpoint_of(dataset, part)) for part in parts_of(dataset.window_parameters, interval)]
    if dataset.answer == "csv":
        for number, (_part, endpoint) in enumerate(parts, start=1):
            write_csv_answer(client, endpoint, f"part-{number:05d}.csv", sink)
        return
    with JsonLinesFiles(sink, dataset.path) as files:
        reader = _Reader(client, dataset, sink.warn)
        values = parent_values(client, dataset.parent, reader.warn_once) if dataset.parent is not None else ()
        gone = 0
        for part, endpoint in parts:
            ask = partial(reader.pages, part)
            if dataset.parent is None:
                for page in ask(endpoint):
                    files.write(page.lines, len(page.records), was_mended=page.was_mended)
            else:
                gone = max(gone, write_children(ask, endpoint, dataset.parent, values=values, files=files))
        reader.finish()
        if gone:
            sink.warn(f"{gone} of {len(values)} parents were gone when their children were asked for")


class _Reader:
    """Reads a dataset's endpoint part by part, or parent by parent, and keeps what a person should know of it all."""

    def __init__(self, client: HttpClient, dataset: RestDataset, warn: Callable[[str], None]) -> None:
        self._client = client
        self._dataset = dataset
        self._warn = warn
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._left_out = 0
        self._is_first = True

    def pages(self, part: Interval, endpoint: Endpoint) -> Iterator[Page]:
        """Yields an endpoint's pages with their records as rows."""
        dataset = self._dataset
        if dataset.download_links is not None:
            read = read_downloads(self._client, endpoint, dataset.download_links)
        else:
            # Each of many parents may well have a single page: only what all others do is worth a doubt.
            read = walk(self._client, endpoint, self.warn_once if dataset.parent is None else None)
        for page in read:
            shaped = shape_page(page, dataset, part)
            with self._lock:
                self._left_out += shaped.left_out
            self._doubt(shaped.page, part)
            yield bronze_lines(shaped.page, endpoint)

    def warn_once(self, message: str) -> None:
        """Notes what a person should know; what every part says is told once."""
        if message not in self._told:
            self._told.add(message)
            self._warn(message)

    def finish(self) -> None:
        """Notes what was left out of all pages."""
        if self._left_out:
            self._warn(f"rows of another time than was asked for were left out: {self._left_out:,}")

    def _doubt(self, page: Page, part: Interval) -> None:
        window = self._dataset.window_parameters
        if self._is_first and window is not None and self._dataset.parent is None:
            doubt = ignored_window(page.records, asked_interval(window, part))
            if doubt is not None:
                self._warn(doubt)
        self._is_first = False


def settings_of(connection_name: str, connection: RestConnection) -> HttpSettings:
    """Returns a connection as the HTTP client needs it."""
    budget = Budget(connection.rate_limit, connection.concurrent_requests)
    return HttpSettings(
        connection_name=connection_name,
        base_url=connection.base_url,
        auth=connection.auth,
        headers=connection.headers,
        parameters=connection.parameters,
        budgets={} if budget == Budget() else {EVERY_REQUEST: budget},
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
    )
