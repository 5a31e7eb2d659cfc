"""Reports: one synchronous CSV for an interval, streamed as it comes, split where Gladly would cut it off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.artifacts import FileFormat, Interval
from penstock.errors import DataError
from penstock.sources.gladly import GladlyDataset, ReportFilters
from penstock.sources.gladly_reports import is_record_report
from tasks.sources.contract import ExtractSink
from tasks.sources.gladly.connection import REPORTS
from tasks.sources.gladly.period import WORK_SESSION_EVENTS, halve, report_period
from tasks.sources.http.client import HttpClient
from tasks.sources.http.request import HttpRequest
from tasks.sources.streams import CsvRecords

if TYPE_CHECKING:
    import httpx

_NEARLY_FULL = 0.9
_ROWS_OF_LONGER_SPANS = frozenset({"weekly", "monthly", "quarterly"})


class _CutOffError(Exception):
    """A report has as many rows as Gladly gives at most, so that it may lack some."""


def write_report(client: HttpClient, dataset: GladlyDataset, interval: Interval, sink: ExtractSink) -> None:
    """Writes a report for an interval, in halves where it reaches `dataset.row_cap`, each into a file of its own.

    Raises:
        ConfigurationError: The report cannot be asked for this interval.
        DataError: It reaches the cap and cannot be halved, or what comes is no report.
    """
    report = dataset.report or ""
    request = _request_for(dataset, interval)
    name = _file_name(report, request.body)
    try:
        rows = client.fetch(request, lambda response: _write_csv(response, name, dataset, sink))
    except _CutOffError:
        halves = _halves_of(dataset, interval)
        if halves is None:
            raise DataError(
                "the report is cut off where Gladly stops without saying so",
                guidance="Split it into several datasets by `filters`, or raise `row_cap` if Gladly gives more rows.",
                report=report,
                row_cap=dataset.row_cap,
                start=interval.start,
                end=interval.end,
            ) from None
        for half in halves:
            write_report(client, dataset, half, sink)
        return
    if rows >= dataset.row_cap * _NEARLY_FULL:
        sink.warn(f"{name} has {rows} rows, and Gladly cuts reports off at {dataset.row_cap}")


def _write_csv(response: httpx.Response, name: str, dataset: GladlyDataset, sink: ExtractSink) -> int:
    """Streams an answer into a file and returns its number of records."""
    records = CsvRecords(dataset.expected_columns)
    with sink.open_file(name, format=FileFormat.CSV, source_name=name) as file:
        for data in response.iter_bytes():
            file.write(data, records.feed(data))
        file.write(b"", records.finish())
        if records.count >= dataset.row_cap:
            raise _CutOffError
    return records.count


def _request_for(dataset: GladlyDataset, interval: Interval) -> HttpRequest:
    report = dataset.report or ""
    period = report_period(interval, report)
    if report == WORK_SESSION_EVENTS:
        path, body = f"/reports/{WORK_SESSION_EVENTS}", dict(period)
    else:
        path, body = "/reports", {"metricSet": report, **period, **_options(dataset)}
    return HttpRequest(path, f"/reports {report}", method="POST", body=body, accept="text/csv", budget=REPORTS)


def _options(dataset: GladlyDataset) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if dataset.aggregation is not None:
        options["aggregationLevel"] = dataset.aggregation
    filters = _filters(dataset.filters)
    if filters:
        options["filters"] = filters
    return options


def _filters(filters: ReportFilters) -> dict[str, Any]:
    stated = {
        "channel": filters.channel,
        "inboxes": list(filters.inboxes),
        "teams": list(filters.teams),
        "phoneNumber": filters.phone_number,
    }
    return {name: value for name, value in stated.items() if value}


def _halves_of(dataset: GladlyDataset, interval: Interval) -> tuple[Interval, Interval] | None:
    """Returns the halves of an interval, None where rows of longer spans would be torn or it is too small."""
    report = dataset.report or ""
    if dataset.aggregation in _ROWS_OF_LONGER_SPANS and not is_record_report(report):
        return None
    return halve(interval, report)


def _file_name(report: str, body: dict[str, str]) -> str:
    start = body.get("startAt") or body["startAtTime"]
    end = body.get("endAt") or body["endAtTime"]
    return f"{report}-{start}-{end}.csv".replace(":", "")
