"""Gladly: reports by day and by minute, the silent cap, export jobs and collections, against the emulated API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock.artifacts import FileFormat, Interval
from penstock.connections import GladlyConnection
from penstock.errors import ConfigurationError, DataError, RejectedError
from penstock.sources.gladly import GladlyDataset, GladlySource
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.gladly.settings import (
    GLADLY_EMAIL,
    GLADLY_EMAIL_WITHOUT_API,
    GLADLY_ORG,
    GLADLY_TOKEN,
    GladlyLimits,
    GladlySettings,
)
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.sources.contract import ExtractRequest
from tasks.sources.gladly.extract import extract
from tasks.sources.http.policy import SYSTEM_CLOCK
from tasks.sources.http.policy import Clock as HttpClock
from tests.fakes.clock import FakeTime
from tests.fakes.scripted_api import Answer, Asked, scripted_api
from tests.fakes.sink import MemorySink

NOW = "2026-03-20T12:00:00Z"
NEW_YORK = "America/New_York"
CAP = 700
PER_DAY = 40


def _serve(**gladly: Any) -> Any:
    settings = GladlySettings(conversations_per_day=PER_DAY, **gladly)
    return serve(SandboxSettings(clock=Clock(NOW), gladly=settings))


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with _serve() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    return server


@pytest.fixture(scope="module")
def capped() -> Iterator[Sandbox]:
    with _serve(row_cap=CAP, byte_order_mark=True) as sandbox:
        yield sandbox


def _days(first: str, count: int = 1, timezone: str = NEW_YORK) -> Interval:
    offset = "-04:00" if timezone == NEW_YORK else "+00:00"
    start = datetime.fromisoformat(f"{first}T00:00:00{offset}")
    return Interval(
        start=start, end=start + timedelta(days=count), timezone=timezone, as_of=datetime.fromisoformat(NOW)
    )


def _connection(url: str, **changed: Any) -> GladlyConnection:
    given = {"kind": "gladly", "organization": GLADLY_ORG, "email": GLADLY_EMAIL, "token": GLADLY_TOKEN}
    return GladlyConnection.model_validate(given | {"base_url": url} | changed)


def _extract(
    url: str,
    interval: Interval,
    sink: MemorySink | None = None,
    *,
    connection: dict[str, Any] | None = None,
    clock: HttpClock | None = None,
    **dataset: Any,
) -> MemorySink:
    sink = sink or MemorySink()
    spec = GladlyDataset.model_validate({"name": "report", **dataset})
    request = ExtractRequest(GladlySource(kind="gladly", connection="acme-gladly"), spec, interval, "acme-gladly")
    extract(request, _connection(url, **(connection or {})), sink, clock=clock or FakeTime(wall=time.time()).clock)
    return sink


def _report(
    sandbox: Sandbox, interval: Interval, report: str = "ContactTimestampsReport", **dataset: Any
) -> MemorySink:
    return _extract(sandbox.service_url("gladly"), interval, report=report, **dataset)


def test_a_day_of_events_arrives_as_gladlys_own_csv(sandbox: Sandbox) -> None:
    sink = _report(sandbox, _days("2026-03-18"))
    rows = sink.rows()
    assert len(rows) > 100
    assert sink.row_count == len(rows)
    times = [datetime.fromisoformat(row["Timestamp"]) for row in rows]
    assert min(times) >= datetime(2026, 3, 18, 4, tzinfo=UTC)
    assert datetime(2026, 3, 19, 1, tzinfo=UTC) <= max(times) < datetime(2026, 3, 19, 4, tzinfo=UTC)
    [file] = sink.files
    assert (file.name, file.format) == ("ContactTimestampsReport-2026-03-18-2026-03-18.csv", FileFormat.CSV)
    assert sandbox.log.requests()[0].detail == "ContactTimestampsReport 2026-03-18..2026-03-18"


@pytest.mark.parametrize(
    "report",
    [
        "ContactTimestampsReport",
        "ContactExportReportV3",
        "ConversationTimestampsReport",
        "ConversationExportReport",
        "AgentTimestampsReport",
        "AgentDurationsReportV2",
        "AgentSummaryV2",
        "work-session-events",
    ],
)
def test_three_single_days_hold_the_rows_of_one_window_of_three_days(sandbox: Sandbox, report: str) -> None:
    whole = _report(sandbox, _days("2026-03-16", 3), report)
    parts = [row for day in (16, 17, 18) for row in _report(sandbox, _days(f"2026-03-{day}"), report).rows()]
    assert whole.row_count > 0
    assert sorted(map(json.dumps, parts)) == sorted(map(json.dumps, whole.rows()))


def test_hours_are_read_by_the_minute_where_the_report_allows_it(sandbox: Sandbox) -> None:
    def hours(start: int, end: int) -> Interval:
        bounds = [datetime(2026, 3, 18, hour, tzinfo=UTC) for hour in (start, end)]
        return Interval(start=bounds[0], end=bounds[1], timezone=NEW_YORK, as_of=datetime.fromisoformat(NOW))

    whole = _report(sandbox, hours(12, 20), "ContactExportReportV3").rows()
    parts = [
        row
        for start in range(12, 20, 2)
        for row in _report(sandbox, hours(start, start + 2), "ContactExportReportV3").rows()
    ]
    assert whole
    assert parts == whole
    with pytest.raises(ConfigurationError, match="whole days"):
        _report(sandbox, hours(12, 20))


def test_a_window_without_rows_is_a_header_alone(sandbox: Sandbox) -> None:
    sink = _report(sandbox, _days("2023-06-01"))
    assert sink.row_count == 0
    assert sink.files[0].rows() == []
    assert sink.files[0].data.startswith(b"Timestamp,Event Type,")


@pytest.mark.parametrize("report", ["ContactTimestampsReport", "ConversationTimestampsReport"])
def test_a_report_at_the_cap_is_split_until_every_row_is_in(sandbox: Sandbox, capped: Sandbox, report: str) -> None:
    week = _days("2026-03-10", 7)
    expected = _report(sandbox, week, report)
    assert expected.row_count > 2 * CAP
    split = _report(capped, week, report, row_cap=CAP)
    assert sorted(map(json.dumps, split.rows())) == sorted(map(json.dumps, expected.rows()))
    assert split.row_count == expected.row_count
    assert len(split.files) > 2
    assert split.abandoned > 0
    assert all(file.row_count < CAP for file in split.files)


def test_a_day_at_the_cap_is_split_by_the_minute_where_the_report_allows_it(sandbox: Sandbox) -> None:
    day = _days("2026-03-18")
    expected = _report(sandbox, day, "ContactExportReportV3")
    with _serve(row_cap=10) as tiny:
        split = _report(tiny, day, "ContactExportReportV3", row_cap=10)
    assert split.row_count == expected.row_count > 20
    assert sorted(map(json.dumps, split.rows())) == sorted(map(json.dumps, expected.rows()))


def test_a_day_at_the_cap_that_cannot_be_split_says_what_to_do() -> None:
    sink = MemorySink()
    with _serve(row_cap=20) as tiny, pytest.raises(DataError, match="filters") as caught:
        _extract(tiny.service_url("gladly"), _days("2026-03-16", 2), sink, report="ContactTimestampsReport", row_cap=20)
    assert (caught.value.report, caught.value.row_cap) == ("ContactTimestampsReport", 20)
    assert sink.files == []


def test_rows_of_whole_weeks_are_not_torn(sandbox: Sandbox) -> None:
    with pytest.raises(DataError, match="cut off"):
        _report(sandbox, _days("2026-03-02", 14), "AgentSummaryV2", aggregation="weekly", row_cap=5)


def test_a_report_near_the_cap_is_pointed_out(sandbox: Sandbox) -> None:
    rows = _report(sandbox, _days("2026-03-18")).row_count
    assert _report(sandbox, _days("2026-03-18"), row_cap=rows * 2).warnings == []
    [warning] = _report(sandbox, _days("2026-03-18"), row_cap=rows + 1).warnings
    assert f"{rows} rows" in warning


def test_filters_and_aggregation_are_sent() -> None:
    header = "Timestamp,Event Type\n"
    with scripted_api(lambda _asked: Answer(header, headers={"Content-Type": "text/csv"})) as api:
        filters = {"channel": "voice", "inboxes": ["i1"], "phone_number": "+15550001111"}
        _extract(api.url, _days("2026-03-18"), report="AgentSummary", aggregation="halfHourly", filters=filters)
    assert api.asked[0].json() == {
        "metricSet": "AgentSummary",
        "startAt": "2026-03-18",
        "endAt": "2026-03-18",
        "timezone": NEW_YORK,
        "aggregationLevel": "halfHourly",
        "filters": {"channel": "voice", "inboxes": ["i1"], "phoneNumber": "+15550001111"},
    }


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="error_text", path="*/reports"),
        Fault(kind="truncated_body", path="*/reports"),
        Fault(kind="connection_drop", path="*/reports"),
        Fault(kind="server_error", path="*/reports"),
        Fault(kind="rate_limited", path="*/reports"),
        Fault(kind="rate_limited", path="*/reports", retry_after_seconds=3, retry_after_form="http_date"),
    ],
    ids=["error_text", "truncated", "dropped", "503", "429", "429_date"],
)
def test_a_report_that_fails_once_arrives_whole(sandbox: Sandbox, fault: Fault) -> None:
    expected = _report(sandbox, _days("2026-03-18")).rows()
    sandbox.faults.add(fault)
    sink = _report(sandbox, _days("2026-03-18"))
    assert sink.rows() == expected
    assert len(sink.files) == 1


def test_an_error_text_that_stays_is_an_error_that_does_not_quote_it(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="error_text", path="*/reports", times=None, text="Unexpected error for Pat Doe"))
    with pytest.raises(DataError, match="not the report's CSV") as caught:
        _report(sandbox, _days("2026-03-18"))
    assert "Pat Doe" not in str(caught.value)
    assert caught.value.endpoint == "/reports ContactTimestampsReport"


def test_an_expected_column_that_is_missing_is_an_error(sandbox: Sandbox) -> None:
    columns = ("Timestamp", "Contact ID")
    assert _report(sandbox, _days("2026-03-18"), expected_columns=columns).row_count > 0
    sandbox.faults.add(Fault(kind="schema_change", path="*/reports", change="remove", column="Contact ID"))
    with pytest.raises(DataError):
        _report(sandbox, _days("2026-03-18"), expected_columns=columns)
    assert "Contact ID" not in _report(sandbox, _days("2026-03-18")).rows()[0]


@pytest.mark.parametrize(
    ("changed", "status", "says"),
    [
        ({"token": "another-token"}, 401, "Renew the credentials"),
        ({"email": GLADLY_EMAIL_WITHOUT_API}, 403, "API User permission"),
    ],
)
def test_refused_credentials_name_the_connection_and_the_right(
    sandbox: Sandbox, changed: dict[str, str], status: int, says: str
) -> None:
    url = sandbox.service_url("gladly")
    with pytest.raises(RejectedError, match=says) as caught:
        _extract(url, _days("2026-03-18"), connection=changed, report="ContactTimestampsReport")
    assert (caught.value.connection, caught.value.status) == ("acme-gladly", status)
    assert "another-token" not in str(caught.value)


@pytest.mark.parametrize(
    "dataset", [{"report": "NoSuchReport"}, {"report": "ContactTimestampsReport", "filters": {"inboxes": ["no"]}}]
)
def test_a_request_that_gladly_refuses_stops_at_once(sandbox: Sandbox, dataset: dict[str, Any]) -> None:
    with pytest.raises(RejectedError, match="malformed"):
        _extract(sandbox.service_url("gladly"), _days("2026-03-18"), **dataset)
    assert len(sandbox.log.requests()) == 1


def test_reports_of_one_connection_never_run_more_than_two_at_once() -> None:
    limits = GladlyLimits(requests_per_second=1_000, reports_per_minute=1_000, concurrent_reports=2)
    with _serve(limits=limits, report_seconds=0.05) as busy, ThreadPoolExecutor(6) as pool:
        days = [_days(f"2026-03-{day}") for day in range(10, 16)]
        sinks = list(pool.map(lambda day: _report(busy, day, "AgentSummaryV2", clock=SYSTEM_CLOCK), days))
        assert {request.status for request in busy.log.requests()} == {200}
    assert all(sink.row_count > 0 for sink in sinks)


def _export(sandbox: Sandbox, interval: Interval, wanted: str = "conversation_items") -> MemorySink:
    return _extract(sandbox.service_url("gladly"), interval, export=wanted)


@pytest.mark.parametrize("wanted", ["agents", "conversation_items", "customers", "topics"])
def test_each_file_of_the_jobs_completed_in_the_window_is_streamed(sandbox: Sandbox, wanted: str) -> None:
    sink = _export(sandbox, _days("2026-03-17", 2, "UTC"), wanted)
    assert len(sink.files) == 2
    assert sink.row_count == len(sink.rows()) > 10
    assert all("id" in row for row in sink.rows())
    assert sink.files[0].name.endswith(f"-{wanted}.jsonl")
    assert sink.warnings == []


def test_export_windows_that_meet_read_each_job_once(sandbox: Sandbox) -> None:
    whole = _export(sandbox, _days("2026-03-15", 4, "UTC"), "topics")
    parts = [_export(sandbox, _days(f"2026-03-{day}", 1, "UTC"), "topics") for day in range(15, 19)]
    names = [file.source_name for sink in parts for file in sink.files]
    assert len(names) == 4
    assert names == [file.source_name for file in whole.files]


def test_all_jobs_that_are_kept_are_read_for_a_full_window(sandbox: Sandbox) -> None:
    full = Interval(start=None, end=None, as_of=datetime.fromisoformat(NOW))
    assert len(_export(sandbox, full, "agents").files) == 14


def test_a_window_that_begins_before_the_oldest_kept_job_is_refused_without_asking(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="oldest export job"):
        _export(sandbox, _days("2026-03-01", 10, "UTC"))
    assert sandbox.log.requests() == []


def test_an_export_file_that_is_cut_off_is_read_again(sandbox: Sandbox) -> None:
    expected = _export(sandbox, _days("2026-03-18", 1, "UTC")).rows()
    sandbox.faults.add(Fault(kind="truncated_body", path="*/files/*"))
    assert _export(sandbox, _days("2026-03-18", 1, "UTC")).rows() == expected


def _jobs_api(jobs: list[dict[str, Any]], files: dict[str, str]) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        return Answer(jobs) if asked.path == "/export/jobs" else Answer(files[asked.path.split("/")[3]])

    return answer


def _job(name: str, status: str, updated_at: str, files: tuple[str, ...] = ("customers.jsonl",)) -> dict[str, Any]:
    return {"id": name, "scheduleId": "s", "status": status, "updatedAt": updated_at, "files": list(files)}


def test_jobs_are_taken_by_half_open_time_and_others_are_reported() -> None:
    jobs = [
        _job("at-end", "COMPLETED", "2026-03-19T00:00:00.000Z"),
        _job("second", "COMPLETED", "2026-03-18T09:00:00.000Z"),
        _job("at-start", "COMPLETED", "2026-03-18T00:00:00.000Z"),
        _job("failed", "FAILED", "2026-03-18T10:00:00.000Z", ()),
        _job("running", "IN_PROGRESS", "2026-03-18T11:00:00.000Z", ()),
        _job("partial", "COMPLETED", "2026-03-18T12:00:00.000Z", ("topics.jsonl",)),
    ]
    files = {"at-start": '{"id":"c1","name":"old"}\n{broken\n\n', "second": '{"id":"c1","name":"new"}'}
    with scripted_api(_jobs_api(jobs, files)) as api:
        sink = _extract(api.url, _days("2026-03-18", 1, "UTC"), export="customers")
    assert api.asked[0].query == {"startAt": "2026-03-18T00:00:00.000Z", "endAt": "2026-03-19T00:00:00.000Z"}
    in_key_order = sorted(sink.files, key=lambda file: file.name)
    assert [file.source_name for file in in_key_order] == ["at-start/customers.jsonl", "second/customers.jsonl"]
    assert bytes(in_key_order[0].data) == files["at-start"].encode()
    assert [file.row_count for file in in_key_order] == [2, 1]
    assert [warning.split(" ")[2] for warning in sink.warnings] == ["failed", "partial"]


def test_a_window_without_a_completed_job_is_pointed_out() -> None:
    with scripted_api(_jobs_api([], {})) as api:
        sink = _extract(api.url, _days("2026-03-18", 1, "UTC"), export="customers")
    assert sink.files == []
    assert sink.warnings == ["no export job was completed in the window"]


@pytest.mark.parametrize("collection", ["agents", "teams", "inboxes", "topics"])
def test_a_collection_arrives_whole(sandbox: Sandbox, collection: str) -> None:
    full = Interval(start=None, end=None, as_of=datetime.fromisoformat(NOW))
    sink = _extract(sandbox.service_url("gladly"), full, collection=collection)
    assert sink.row_count == len(sink.rows()) > 1
    assert len({row["id"] for row in sink.rows()}) == sink.row_count
    assert sink.files[0].source_name == f"/{collection}"
