"""Seven AI tools: what is odd about each, over one company; and how little an eighth, or none of our code, takes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

import pytest
import yaml
from pydantic import SecretStr, TypeAdapter

from penstock.artifacts import Interval
from penstock.connections import Connection, DeclaredConnection, RestConnection
from penstock.connections.rest import Auth, BearerAuth
from penstock.errors import RejectedError
from penstock.sources.base import SourceSpec
from penstock.sources.declared import DeclaredDataset, declare
from penstock.sources.registry import SOURCES
from penstock.sources.rest import RestDataset, RestSource
from sandbox.ai_tools.settings import (
    ANTHROPIC_KEY,
    COPILOT_ENTERPRISE,
    COPILOT_ORGANIZATIONS,
    COPILOT_TOKEN,
    CURSOR_KEY,
    KEY_WITHOUT_RIGHTS,
    LITELLM_KEY,
    OPENAI_KEY,
    SOURCEGRAPH_INSTANCE,
    SOURCEGRAPH_TOKEN,
    WINDSURF_KEY,
)
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.probing.registry import probe_connection
from tasks.sources import declared
from tasks.sources.contract import ExtractRequest
from tasks.sources.rest import extract as rest_source
from tests.fakes.clock import FakeTime
from tests.fakes.scripted_api import Answer, Asked, scripted_api
from tests.fakes.sink import MemorySink

NOW = datetime(2026, 3, 20, 14, 30, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 17, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 15, tzinfo=UTC)
KEYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "anthropic": ("api_key", ANTHROPIC_KEY, {}),
    "copilot": (
        "token",
        COPILOT_TOKEN,
        {"organizations": COPILOT_ORGANIZATIONS, "enterprise": COPILOT_ENTERPRISE},
    ),
    "cursor": ("api_key", CURSOR_KEY, {}),
    "litellm": ("api_key", LITELLM_KEY, {}),
    "openai": ("api_key", OPENAI_KEY, {}),
    "sourcegraph": ("token", SOURCEGRAPH_TOKEN, {"instance_url": SOURCEGRAPH_INSTANCE}),
    "windsurf": ("service_key", WINDSURF_KEY, {}),
}
REPORTS = [(kind, report) for kind in KEYS for report in SOURCES[kind].dataset.catalogue]  # type: ignore[attr-defined]
USAGE = {
    "anthropic": "claude_code",
    "copilot": "users",
    "cursor": "usage_events",
    "litellm": "spend_logs",
    "openai": "completions",
    "sourcegraph": "user_activity",
    "windsurf": "cascade_runs",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve(SandboxSettings(clock=Clock(NOW))) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    server.clock.set(NOW)
    return server


def _days(count: int = 1, first: datetime = TUESDAY) -> Interval:
    return Interval(start=first, end=first + timedelta(days=count), as_of=NOW)


FULL = Interval(start=None, end=None, as_of=NOW)


def _connection(sandbox: Sandbox, kind: str, key: str | None = None) -> Any:
    name, right_key, more = KEYS[kind]
    settings = {"kind": kind, name: key or right_key, "base_url": sandbox.service_url(kind), **more}
    return TypeAdapter(Connection).validate_python(settings)


def _extract(sandbox: Sandbox, kind: str, interval: Interval, *, key: str | None = None, **dataset: Any) -> MemorySink:
    spec: DeclaredDataset[Any] = SOURCES[kind].dataset.model_validate({"name": "x", **dataset})  # type: ignore[assignment]
    source = SOURCES[kind].source.model_validate({"kind": kind, "connection": "orbit-tool"})
    sink = MemorySink()
    request = ExtractRequest(source, spec, interval, "orbit-tool")
    declared.extract(request, _connection(sandbox, kind, key), sink, clock=FakeTime(wall=time.time()).clock)
    return sink


@pytest.mark.parametrize(("kind", "report"), REPORTS)
def test_each_report_is_read_as_it_is_declared(sandbox: Sandbox, kind: str, report: str) -> None:
    is_windowed = SOURCES[kind].dataset.catalogue[report].window_parameters is not None  # type: ignore[attr-defined]
    sink = _extract(sandbox, kind, _days(2) if is_windowed else FULL, report=report)
    rows = sink.rows()
    unused = {"moderations", "audio_speeches", "audio_transcriptions", "vector_stores"}
    unused |= {"code_interpreter_sessions", "web_search_calls", "file_search_calls"}
    assert (len(rows) > 1) == (report not in unused), report
    assert sink.row_count == len(rows)
    assert sink.warnings == []
    if is_windowed and kind != "sourcegraph":
        assert {row["bucket_start"] for row in rows} <= {"2026-03-17T00:00:00Z", "2026-03-18T00:00:00Z"}
        assert report in unused or {row["bucket_end"] for row in rows} == {
            "2026-03-18T00:00:00Z",
            "2026-03-19T00:00:00Z",
        }


@pytest.mark.parametrize(("kind", "report"), [(k, r) for k, r in REPORTS if USAGE[k] == r])
def test_a_day_without_use_is_no_row_and_no_error(sandbox: Sandbox, kind: str, report: str) -> None:
    sink = _extract(sandbox, kind, _days(first=SUNDAY), report=report)
    assert sink.rows() == []
    assert sink.row_count == 0


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_without_the_right_is_told_which_one_it_needs(sandbox: Sandbox, kind: str) -> None:
    with pytest.raises(RejectedError, match="lack a right") as caught:
        _extract(sandbox, kind, _days(), key=KEY_WITHOUT_RIGHTS, report=USAGE[kind])
    assert _connection(sandbox, kind).rights in caught.value.guidance
    assert KEY_WITHOUT_RIGHTS not in str(caught.value)


@pytest.mark.parametrize("kind", KEYS)
def test_a_probe_takes_one_small_request_and_sees_what_a_key_may(sandbox: Sandbox, kind: str) -> None:
    assert "answers this key" in probe_connection("orbit", _connection(sandbox, kind), (), timeout_seconds=30).note
    assert len(sandbox.log.requests(service=kind)) == 1
    for key in ("wrong", KEY_WITHOUT_RIGHTS):
        with pytest.raises(RejectedError):
            probe_connection("orbit", _connection(sandbox, kind, key), (), timeout_seconds=30)


def test_the_same_people_use_the_tools_under_the_names_that_each_has_for_them(sandbox: Sandbox) -> None:
    week = _days(4, first=datetime(2026, 3, 16, tzinfo=UTC))
    emails = {
        "anthropic": {
            row["actor"]["email_address"] for row in _extract(sandbox, "anthropic", week, report="claude_code").rows()
        },
        "cursor": {row["userEmail"] for row in _extract(sandbox, "cursor", week, report="usage_events").rows()},
        "windsurf": {row["email"] for row in _extract(sandbox, "windsurf", week, report="cascade_runs").rows()},
        "sourcegraph": {row["User email"] for row in _extract(sandbox, "sourcegraph", week).rows()},
        "openai": {row["email"] for row in _extract(sandbox, "openai", FULL, report="users").rows()},
        "litellm": {row["user_email"] for row in _extract(sandbox, "litellm", FULL, report="users").rows()},
    }
    logins = {row["user_login"] for row in _extract(sandbox, "copilot", week, report="users").rows()}
    everybody = set().union(*emails.values())
    assert all(len(people) > 4 for people in emails.values())
    assert sum(len(people) for people in emails.values()) > len(everybody) * 1.5
    assert len(logins & {email.split("@")[0].replace(".", "-") for email in everybody}) > 4


def test_costs_fit_usage_in_each_vendors_unit(sandbox: Sandbox) -> None:
    logs = _extract(sandbox, "litellm", _days(2), report="spend_logs").rows()
    activity = _extract(sandbox, "litellm", _days(2), report="daily_activity", page_size=3).rows()
    assert len(activity) > 2, "a date comes on several pages, each with a part"
    assert sum(row["metrics"]["spend"] for row in activity) == pytest.approx(sum(row["spend"] for row in logs))
    costs = _extract(sandbox, "openai", _days(2), report="costs").rows()
    total = _extract(sandbox, "openai", _days(2), report="costs", group_by=[]).rows()
    assert sum(row["amount"]["value"] for row in costs) == pytest.approx(sum(row["amount"]["value"] for row in total))
    cents = _extract(sandbox, "anthropic", _days(2), report="costs").rows()
    assert {type(row["amount"]) for row in cents} == {str}
    tokens = _extract(sandbox, "anthropic", _days(2), report="usage", group_by=["model"]).rows()
    prices = {"claude-large": 75, "claude-medium": 15, "claude-small": 5}
    of_output = sum(float(row["amount"]) for row in cents if row["token_type"] == "output_tokens")
    assert of_output == pytest.approx(sum(row["output_tokens"] * prices[row["model"]] / 10_000 for row in tokens))


def test_usage_that_is_reported_late_restates_its_day_and_then_the_day_stays(sandbox: Sandbox) -> None:
    def tokens(at: datetime) -> int:
        sandbox.clock.set(at)
        rows = _extract(sandbox, "openai", _days(), report="completions").rows()
        return sum(row["input_tokens"] for row in rows)

    next_day, settled = TUESDAY + timedelta(days=1, hours=1), TUESDAY + timedelta(days=3)
    assert tokens(next_day) < tokens(settled) == tokens(settled + timedelta(days=2))


def test_copilots_report_of_a_day_comes_a_day_later_and_until_then_there_is_none(sandbox: Sandbox) -> None:
    yesterday = _days(first=datetime(2026, 3, 19, tzinfo=UTC))
    assert _extract(sandbox, "copilot", yesterday, report="users").rows() == []
    assert {entry.status for entry in sandbox.log.requests(service="copilot")} == {204}
    sandbox.clock.set(NOW + timedelta(days=1))
    rows = _extract(sandbox, "copilot", yesterday, report="users").rows()
    assert {row["organization"] for row in rows} == set(COPILOT_ORGANIZATIONS)
    in_both = [row["user_login"] for row in rows]
    by_enterprise = _extract(sandbox, "copilot", yesterday, report="enterprise_users").rows()
    assert len(set(in_both)) == len(by_enterprise) < len(in_both)


def test_a_seat_keeps_the_organization_that_it_names_beside_the_one_that_was_asked(sandbox: Sandbox) -> None:
    rows = _extract(sandbox, "copilot", FULL, report="seats").rows()
    assert {row["asked_organization"] for row in rows} == set(COPILOT_ORGANIZATIONS)
    assert all(row["organization"]["login"] == row["asked_organization"] for row in rows)


@pytest.mark.parametrize(
    ("granularity", "key", "requests"),
    [
        ("by_user_month", ("User email", "Month"), 1),
        ("by_user", ("User email",), 1),
        ("by_user_day", ("User email", "Date"), 2),
    ],
)
def test_who_is_counted_over_more_than_a_day_is_counted_once(
    sandbox: Sandbox, granularity: str, key: tuple[str, ...], requests: int
) -> None:
    days = _days(31, first=datetime(2026, 2, 10, tzinfo=UTC))
    rows = _extract(sandbox, "sourcegraph", days, granularity=granularity).rows()
    found = [tuple(row[name] for name in key) for row in rows]
    assert len(found) == len(set(found)) > 1
    assert len(sandbox.log.requests(service="sourcegraph")) == requests


def test_a_signed_link_that_is_refused_is_asked_for_once_more(sandbox: Sandbox) -> None:
    expected = _extract(sandbox, "copilot", _days(), report="users").rows()
    refused = sandbox.faults.add(Fault(kind="server_error", path="/copilot/files/*", status=403, after=1))
    assert _extract(sandbox, "copilot", _days(), report="users").rows() == expected
    assert sandbox.faults.times_met(refused) == 1
    sandbox.faults.add(Fault(kind="server_error", path="/copilot/files/*", status=403, times=None))
    with pytest.raises(RejectedError) as caught:
        _extract(sandbox, "copilot", _days(), report="users")
    assert "sig" not in str(caught.value)


def test_links_lead_to_other_hosts_without_credentials_and_are_all_followed() -> None:
    def storage(asked: Asked) -> Answer:
        lines = [{"day": "2026-03-17", "user_id": 1, "part": asked.path}, {"day": "2026-03-17", "user_id": 2}]
        return Answer("\n\n".join(json.dumps(line) for line in lines))

    with scripted_api(storage) as files:
        links = [f"{files.url}/{number}?sig=secret-signature" for number in range(3)]
        with scripted_api(lambda _asked: Answer({"download_links": links})) as api:
            spec = RestDataset(name="x", path="/report", download_links="download_links")
            sink = MemorySink()
            connection = RestConnection.model_validate(
                {"kind": "rest", "base_url": api.url, "auth": {"kind": "bearer", "token": "t"}, "headers": {"X-V": "1"}}
            )
            request = ExtractRequest(RestSource(kind="rest", connection="c"), spec, FULL, "c")
            rest_source.extract(request, connection, sink)
    assert sink.row_count == len(sink.rows()) == 6
    assert [asked.path for asked in files.asked] == ["/0", "/1", "/2"]
    assert not any("Authorization" in asked.headers for asked in files.asked)
    assert "secret-signature" not in repr(sink.files[0].source_name)


def _cursor(url: str) -> MemorySink:
    connection = TypeAdapter(Connection).validate_python({"kind": "cursor", "api_key": CURSOR_KEY, "base_url": url})
    spec = SOURCES["cursor"].dataset.model_validate({"name": "x", "report": "daily_usage", "page_size": 2})
    source = SOURCES["cursor"].source.model_validate({"kind": "cursor", "connection": "c"})
    sink = MemorySink()
    declared.extract(ExtractRequest(source, spec, _days(), "c"), connection, sink)  # type: ignore[arg-type]
    return sink


@pytest.mark.parametrize("style", ["hasNextPage", "totalPages", "numPages", "nothing"])
def test_cursors_pages_end_right_whatever_a_version_calls_its_members(style: str) -> None:
    def answer(asked: Asked) -> Answer:
        page = asked.json()["page"]
        rows = [{"date": 1773705600000, "userId": number} for number in range(5)][(page - 1) * 2 : page * 2]
        stated = {"hasNextPage": page < 3} if style == "hasNextPage" else {style: 3} if style != "nothing" else {}
        return Answer({"data": rows, "pagination": stated})

    with scripted_api(answer) as api:
        sink = _cursor(api.url)
    assert sorted(row["userId"] for row in sink.rows()) == [0, 1, 2, 3, 4]
    assert api.asked[0].json() == {"startDate": 1773705600000, "endDate": 1773791999999, "page": 1, "pageSize": 2}


def test_a_window_that_is_longer_than_the_api_allows_is_asked_for_in_parts(sandbox: Sandbox) -> None:
    interval = _days(70, first=datetime(2026, 1, 1, tzinfo=UTC))
    sink = _extract(sandbox, "cursor", interval, report="daily_usage")
    days = {row["day"] for row in sink.rows()}
    assert min(days) == "2026-01-02"
    assert max(days) == "2026-03-11"
    one = _extract(sandbox, "cursor", _days(first=datetime(2026, 1, 30, tzinfo=UTC)), report="daily_usage")
    assert len([row for row in sink.rows() if row["day"] == "2026-01-30"]) == one.row_count > 0
    assert {entry.status for entry in sandbox.log.requests("/cursor/teams/daily-usage-data")} == {200}


# Four of the seven without any Python of theirs, as a pipeline file of kind `rest` writes them.
BY_HAND = """
anthropic:
  path: /v1/organizations/cost_report
  parameters: {"group_by[]": [workspace_id, description]}
  records: data
  rows: results
  bucket: {kind: envelope, start: starting_at, end: ending_at}
  paging: {kind: cursor, parameter: page, path: next_page, more_path: has_more, size_parameter: limit, size: 31}
  window_parameters: {start: starting_at, end: ending_at, format: iso, timezone: UTC}
openai:
  path: /organization/costs
  parameters: {group_by: [project_id, line_item]}
  records: data
  rows: [results, result]
  bucket: {kind: envelope, start: start_time, end: end_time}
  paging: {kind: cursor, parameter: page, path: next_page, more_path: has_more, size_parameter: limit, size: 180}
  window_parameters: {start: start_time, end: end_time, format: epoch}
cursor:
  path: /teams/filtered-usage-events
  method: POST
  records: usageEvents
  bucket: {kind: row, time: timestamp}
  paging: {kind: page_number, location: body, size_parameter: pageSize, size: 1000, more_path: pagination.hasNextPage}
  total: totalUsageEventsCount
  window_parameters:
    {location: body, start: startDate, end: endDate, format: epoch_ms, end_inclusive: true, granularity: millisecond}
litellm:
  path: /spend/logs/v2
  records: data
  bucket: {kind: row, time: startTime}
  paging: {kind: page_number, size_parameter: page_size, size: 100}
  window_parameters: {start: start_date, end: end_date, format: "%Y-%m-%d %H:%M:%S", timezone: UTC, longest: 1h}
windsurf:
  path: /CascadeAnalytics
  method: POST
  body: {emails: ["{email}"], query_requests: [{cascade_runs: {}}]}
  records: queryResults
  rows: cascadeRuns.cascadeRuns
  records_may_be_absent: true
  bucket: {kind: row, time: day}
  window_parameters: {location: body, start: start_timestamp, end: end_timestamp, format: iso, timezone: UTC}
  parent: {path: /UserPageAnalytics, method: POST, body: {}, records: userTableStats, field: email, name: email}
copilot:
  path: "/orgs/{organization}/copilot/metrics/reports/users-1-day"
  download_links: download_links
  bucket: {kind: row, time: day}
  window_parameters: {start: day, format: date, timezone: UTC, longest: 1d}
  parent: {name: organization, values: [orbit, orbit-labs]}
"""
SAME_AS = {**USAGE, "anthropic": "costs", "openai": "costs"}
AUTHS = {
    "anthropic": {"kind": "api_key", "name": "x-api-key", "value": ANTHROPIC_KEY},
    "openai": {"kind": "bearer", "token": OPENAI_KEY},
    "cursor": {"kind": "basic", "username": CURSOR_KEY, "password": ""},
    "litellm": {"kind": "bearer", "token": LITELLM_KEY},
    "windsurf": {"kind": "api_key", "name": "service_key", "value": WINDSURF_KEY, "location": "body"},
    "copilot": {"kind": "bearer", "token": COPILOT_TOKEN},
}


@pytest.mark.parametrize("kind", AUTHS)
def test_a_rest_source_without_any_python_reads_the_same(sandbox: Sandbox, kind: str) -> None:
    spec = RestDataset.model_validate({"name": "x", **yaml.safe_load(BY_HAND)[kind]})
    headers = {"anthropic-version": "2023-06-01"} if kind == "anthropic" else {}
    settings = {"kind": "rest", "base_url": sandbox.service_url(kind), "auth": AUTHS[kind], "headers": headers}
    sink = MemorySink()
    request = ExtractRequest(RestSource(kind="rest", connection="by-hand"), spec, _days(2), "by-hand")
    rest_source.extract(request, RestConnection.model_validate(settings), sink)
    declared_rows = _extract(sandbox, kind, _days(2), report=SAME_AS[kind]).rows()
    assert sorted(map(json.dumps, sink.rows())) == sorted(map(json.dumps, declared_rows))
    assert sink.row_count > 10


# An eighth tool: what is below is all that it takes, besides one line in each registry.
class QuillConnection(DeclaredConnection):
    vendor_url: ClassVar[str] = "https://api.quill.example.com"

    kind: Literal["quill"]
    token: SecretStr

    def auth(self) -> Auth:
        return BearerAuth(kind="bearer", token=self.token)

    def probe_path(self) -> str:
        return "/usage?limit=1"


class QuillDataset(DeclaredDataset[QuillConnection]):
    catalogue: ClassVar[dict[str, RestDataset]] = declare(
        usage={
            "path": "/usage",
            "records": "items",
            "bucket": {"kind": "row", "time": "day"},
            "paging": {"kind": "offset", "size_parameter": "limit", "size": 2},
            "window_parameters": {"start": "from", "end": "to", "format": "date", "end_inclusive": True},
        }
    )

    report: Literal["usage"] = "usage"


class QuillSource(SourceSpec):
    kind: Literal["quill"]


def test_an_eighth_tool_is_a_connection_a_catalogue_and_no_code() -> None:
    items = [{"day": f"2026-03-{17 + number % 2}", "user": number} for number in range(5)]

    def answer(asked: Asked) -> Answer:
        assert (asked.query["from"], asked.query["to"]) == ("2026-03-17", "2026-03-18")
        assert asked.headers["Authorization"] == "Bearer t"
        first = int(asked.query["offset"])
        return Answer({"items": items[first : first + 2]})

    with scripted_api(answer) as api:
        connection = QuillConnection(kind="quill", token=SecretStr("t"), base_url=api.url)
        source = QuillSource(kind="quill", connection="acme-quill")
        sink = MemorySink()
        request = ExtractRequest(source, QuillDataset(name="usage"), _days(2), "acme-quill")
        declared.extract(request, connection, sink)
    assert [row["user"] for row in sink.rows()] == [0, 1, 2, 3, 4]
    assert {row["bucket_start"] for row in sink.rows()} == {"2026-03-17T00:00:00Z", "2026-03-18T00:00:00Z"}


def test_what_is_closed_or_unknown_is_refused_in_the_vendors_words(sandbox: Sandbox) -> None:
    spec = RestDataset(name="x", path="/orgs/orbit/copilot/metrics")
    settings = {"kind": "rest", "base_url": sandbox.service_url("copilot"), "auth": AUTHS["copilot"]}
    request = ExtractRequest(RestSource(kind="rest", connection="c"), spec, FULL, "c")
    with pytest.raises(RejectedError, match="nothing at this path"):
        rest_source.extract(request, RestConnection.model_validate(settings), MemorySink())
