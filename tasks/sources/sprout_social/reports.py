"""Reports: pages of rows for a target and a time, cut where Sprout would cut them off without saying so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from penstock.artifacts import Interval
from penstock.errors import DataError, RejectedError, TransientError
from penstock.sources.rest import PageNumberPaging
from penstock.sources.sprout_social import SproutSocialDataset
from tasks.sources.contract import ExtractSink
from tasks.sources.http.client import HttpClient
from tasks.sources.http.request import HttpRequest
from tasks.sources.rest.body import Raw, carry_fields, join_records
from tasks.sources.rest.files import JsonLinesFiles
from tasks.sources.rest.page import Endpoint, Page, as_count
from tasks.sources.rest.walk import walk
from tasks.sources.sprout_social.catalog import REPORTS, Report
from tasks.sources.sprout_social.period import cut, halve, period_filter
from tasks.sources.sprout_social.profiles import Target, list_profiles, metrics_of, targets_of

# The keys of a row of profile analytics, and the columns that carry their values.
_DIMENSIONS = {"reporting_period.by(day)": "reporting_period", "customer_profile_id": "customer_profile_id"}


class _CutOffError(Exception):
    """A query has as many rows as Sprout gives at most, so that it may lack some."""


class _Lines(NamedTuple):
    """A page's rows as JSON lines."""

    lines: bytes
    row_count: int
    was_mended: bool


class ReportRun(NamedTuple):
    """One extraction of a report."""

    client: HttpClient
    customer: int
    report: Report
    dataset: SproutSocialDataset
    sink: ExtractSink

    @property
    def path(self) -> str:
        """The report's path."""
        return f"/v1/{self.customer}{self.report.path}"


def write_report(
    client: HttpClient, customer: int, dataset: SproutSocialDataset, interval: Interval, sink: ExtractSink
) -> None:
    """Writes a report for an interval.

    Raises:
        ConfigurationError: The report cannot be asked for this interval, or not for these profiles.
        DataError: A single day or second has more rows than a query gives.
    """
    run = ReportRun(client, customer, REPORTS[dataset.endpoint], dataset, sink)
    with JsonLinesFiles(sink, run.report.path) as files:
        for target, part in _queries(run, interval):
            _write_query(run, target, part, files)


def _queries(run: ReportRun, interval: Interval) -> Iterator[tuple[Target, Interval]]:
    report, dataset = run.report, run.dataset
    profiles = [] if report.scope == "customer" else list_profiles(run.client, run.customer, dataset)
    for target in targets_of(profiles, report, dataset, run.sink):
        longest = _longest(report, dataset, target)
        yield from ((target, part) for part in cut(interval, longest, by_day=report.by_day))


def _longest(report: Report, dataset: SproutSocialDataset, target: Target) -> timedelta | None:
    """Returns the longest span of one query; days of profiles can be counted before they are asked for."""
    if report.longest is None or not report.by_day:
        return report.longest
    size = getattr(report.paging(dataset.page_size), "size", None) or 0
    days = max(1, (dataset.row_cap - size) // max(1, target.profile_count))
    return min(report.longest, timedelta(days=days))


def _write_query(run: ReportRun, target: Target, interval: Interval, files: JsonLinesFiles) -> None:
    """Writes one query, in halves where it reaches `row_cap`."""
    try:
        pages = _pages(run, target, interval)
        # Behind a cursor nobody knows how many follow, so none is written before all came; they are `row_cap` at most.
        for page in pages if run.report.is_numbered else list(pages):
            files.write(page.lines, page.row_count, was_mended=page.was_mended)
    except _CutOffError:
        halves = halve(interval, by_day=run.report.by_day)
        if halves is None:
            raise DataError(
                "the query is cut off where Sprout stops without saying so, and its time cannot be cut",
                guidance="Ask for fewer profiles at once with `profiles_per_request`, or narrow `filters`.",
                connection=run.client.connection_name,
                endpoint=run.path,
                row_cap=run.dataset.row_cap,
                start=interval.start,
                end=interval.end,
            ) from None
        for half in halves:
            _write_query(run, target, half, files)


def _pages(run: ReportRun, target: Target, interval: Interval) -> Iterator[_Lines]:
    """Yields a query's pages.

    Raises:
        _CutOffError: It has `row_cap` rows; before the first page where their number is stated, else once they came.
    """
    endpoint = _endpoint(run, target, interval)
    rows = 0
    try:
        for page in walk(run.client, endpoint, run.sink.warn):
            is_first, rows = rows == 0, rows + len(page.records)
            if _most_rows(page, endpoint, rows) >= run.dataset.row_cap:
                raise _CutOffError if is_first or not run.report.is_numbered else _changed_meanwhile(run)
            lines = _with_dimensions(page.records) if run.report.by_day else page.lines
            yield _Lines(lines, len(page.records), page.was_mended)
    except RejectedError as error:
        if error.facts.get("status") == HTTPStatus.BAD_REQUEST and target.network:
            error.facts["network"] = target.network
            error.guidance = (
                "Sprout may have retired a metric of this network: compare `metrics` and `filters` with its reference."
            )
        raise


def _changed_meanwhile(run: ReportRun) -> TransientError:
    """Returns the error for a query that reached `row_cap` after its first pages were written."""
    return TransientError(
        "the source changed while its pages were read",
        guidance="Read them again: run once more where no try is left.",
        connection=run.client.connection_name,
        endpoint=run.path,
    )


def _most_rows(page: Page, endpoint: Endpoint, rows: int) -> int:
    """Returns how many rows a query may have: those of the stated pages, or those that came so far."""
    pages = as_count(page.body.value("paging.total_pages")) if page.body is not None else None
    if isinstance(endpoint.paging, PageNumberPaging) and pages is not None and pages > 1:
        return pages * (endpoint.paging.size or 0)
    return rows


def _endpoint(run: ReportRun, target: Target, interval: Interval) -> Endpoint:
    return Endpoint(
        HttpRequest(run.path, run.path, method="POST", body=query_body(run.report, run.dataset, target, interval)),
        records="data",
        paging=run.report.paging(run.dataset.page_size),
    )


def query_body(report: Report, dataset: SproutSocialDataset, target: Target, interval: Interval) -> dict[str, Any]:
    """Returns what a query asks for, without its page."""
    field = report.time_field or dataset.by
    period = period_filter(field, interval, by_day=report.by_day)
    body: dict[str, Any] = {"filters": [*target.filters, period, *dataset.filters]}
    if target.network:
        body["metrics"] = list(metrics_of(report, dataset)[target.network])
    if report.fields:
        body["fields"] = list(dict.fromkeys((*report.key_fields, *(dataset.fields or report.fields))))
    if not report.by_day:
        # Oldest first, so that what comes in meanwhile moves no row to another page.
        body |= {"timezone": "UTC", "sort": [f"{field}:asc"]}
    return body


def _with_dimensions(records: list[Raw]) -> bytes:
    """Returns rows of profile analytics that carry their day and profile as columns of their own.

    Sprout has both inside `dimensions`, one under a name with a dot, where no key of a table can be.
    """
    return join_records([_carry_dimensions(record) for record in records])


def _carry_dimensions(record: Raw) -> bytes:
    dimensions = msgspec.json.decode(record, type=dict[str, Raw]).get("dimensions", Raw(b"null"))
    values = msgspec.json.decode(dimensions, type=dict[str, Raw] | None) or {}
    if not set(_DIMENSIONS) <= set(values):
        raise DataError(
            "a row of profile analytics has no day or no profile",
            guidance="Compare an answer with Sprout's reference; its API may have changed.",
        )
    carried = bytes(record)
    for name, column in _DIMENSIONS.items():
        carried = carry_fields(Raw(carried), {column: bytes(values[name])})
    return carried
