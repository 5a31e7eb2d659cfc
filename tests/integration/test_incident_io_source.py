"""incident.io: every resource to its last page, windows over date filters, and what the workspaces hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import httpx
import pytest

from penstock.artifacts import Interval
from penstock.connections import IncidentIoConnection
from penstock.errors import RateLimitedError, RejectedError
from penstock.sources.incident_io import IncidentIoDataset, IncidentIoSource, Resource
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.incident_io.settings import (
    KEY_WITHOUT_SCOPES,
    MOBILE_KEY,
    PAYMENTS_KEY,
    PLATFORM_KEY,
    IncidentIoSettings,
)
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.probing.incident_io import probe
from tasks.sources.contract import ExtractRequest
from tasks.sources.http.failures import retry_after_seconds
from tasks.sources.incident_io.extract import extract
from tests.fakes.clock import FakeTime
from tests.fakes.sink import MemorySink

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
DAY = datetime(2026, 3, 18, tzinfo=UTC)
FULL = Interval(start=None, end=None, as_of=NOW)
PLENTY = 1_000_000


def _settings(**more: Any) -> SandboxSettings:
    given = {"opened_on": date(2025, 12, 20), "requests_per_minute": PLENTY, **more}
    return SandboxSettings(clock=Clock(NOW), incident_io=IncidentIoSettings(**given))


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with serve(_settings()) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Iterator[Sandbox]:
    server.reset()
    server.clock.set(NOW)
    yield server
    server.clock.set(NOW)


def _connection(sandbox: Sandbox, key: str = PLATFORM_KEY) -> IncidentIoConnection:
    url = sandbox.service_url("incident_io")
    return IncidentIoConnection.model_validate({"kind": "incident_io", "api_key": key, "base_url": url})


def _extract(
    sandbox: Sandbox,
    resource: str,
    interval: Interval = FULL,
    *,
    key: str = PLATFORM_KEY,
    time: FakeTime | None = None,
    **dataset: Any,
) -> MemorySink:
    sink = MemorySink()
    spec = IncidentIoDataset.model_validate({"name": "things", "resource": resource, **dataset})
    source = IncidentIoSource(kind="incident_io", connection="orbit")
    request = ExtractRequest(source, spec, interval, "orbit")
    extract(request, _connection(sandbox, key), sink, clock=(time or FakeTime()).clock)
    return sink


def _get(sandbox: Sandbox, path: str, key: str = PLATFORM_KEY, **parameters: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{sandbox.service_url('incident_io')}{path}", params=parameters, headers=headers)


def _between(start: datetime, hours: float) -> Interval:
    return Interval(start=start, end=start + timedelta(hours=hours), as_of=NOW)


WHOLE = {
    "custom_field_options": 5,
    "custom_fields": 5,
    "catalog_entries": 14,
    "catalog_types": 2,
    "incident_roles": 3,
    "incident_statuses": 10,
    "incident_timestamps": 6,
    "incident_types": 2,
    "severities": 3,
    "users": 10,
}


@pytest.mark.parametrize("resource", get_args(Resource))
def test_every_resource_comes_to_its_last_page_and_total(sandbox: Sandbox, resource: str) -> None:
    sink = _extract(sandbox, resource)
    ids = [row["id"] for row in sink.rows()]
    assert len(ids) == len(set(ids)) == sink.row_count
    if resource in WHOLE:
        assert len(ids) == WHOLE[resource]
        return
    asked = sandbox.log.requests(f"*/{resource}")
    stated = _get(sandbox, asked[0].path.removeprefix("/incident_io"), page_size=50).json()
    total = stated.get("pagination_meta", {}).get("total_record_count", len(stated[resource]))
    assert len(ids) == total
    if "page_size" in asked[0].query:
        size = int(asked[0].query.partition("page_size=")[2].split("&")[0])
        assert len(asked) == -(-total // size)
        assert len(asked) > 1


@pytest.mark.parametrize("lte_is_midnight", [False, True])
def test_windows_of_an_hour_tile_the_day_whatever_the_end_of_a_date_filter_means(lte_is_midnight: bool) -> None:
    with serve(_settings(lte_is_midnight=lte_is_midnight)) as sandbox:
        every = _extract(sandbox, "incidents").rows()
        day = [row for row in every if row["updated_at"].startswith("2026-03-18")]
        hours = [_extract(sandbox, "incidents", _between(DAY + timedelta(hours=hour), 1)) for hour in range(24)]
        whole = _extract(sandbox, "incidents", _between(DAY, 24))
        queries = {request.query for request in sandbox.log.requests("*/incidents") if "updated_at" in request.query}
    assert len(day) > 3
    assert [row["id"] for row in whole.rows()] == [row["id"] for row in day]
    assert sorted(row["id"] for hour in hours for row in hour.rows()) == sorted(row["id"] for row in day)
    assert all("updated_at%5Bgte%5D=2026-03-18&updated_at%5Blte%5D=2026-03-19" in query for query in queries)
    assert not any(sink.warnings for sink in [*hours, whole])


def test_an_incident_that_is_changed_after_its_end_comes_again_in_the_window_of_the_change(sandbox: Sandbox) -> None:
    earlier = {
        row["id"]: row for row in _extract(sandbox, "incidents", _between(DAY - timedelta(days=7), 24 * 9)).rows()
    }
    sandbox.clock.advance(days=3)
    later = {row["id"]: row for row in _extract(sandbox, "incidents", _between(NOW, 72)).rows()}
    again = [(earlier[key], later[key]) for key in earlier.keys() & later.keys()]
    corrected = [
        (before, after)
        for before, after in again
        if before["incident_status"] == after["incident_status"]
        and before["incident_timestamp_values"] != after["incident_timestamp_values"]
    ]
    assert len(again) > 5
    assert corrected
    assert all(before["updated_at"] < after["updated_at"] for before, after in again)


def test_late_rows_are_picked_up_by_a_window_that_looks_back(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="late_rows", path="*/incidents", rows_from=DAY, since=DAY + timedelta(hours=20)))
    sandbox.clock.set(DAY + timedelta(hours=18))
    assert _extract(sandbox, "incidents", _between(DAY, 18)).rows() == []
    sandbox.clock.set(DAY + timedelta(hours=21))
    assert _extract(sandbox, "incidents", _between(DAY, 21)).rows() != []


def test_test_incidents_come_only_where_they_are_asked_for(sandbox: Sandbox) -> None:
    default = _extract(sandbox, "incidents").rows()
    assert {row["mode"] for row in default} == {"standard", "retrospective"}
    asked = _extract(sandbox, "incidents", modes=["test", "tutorial"]).rows()
    assert {row["mode"] for row in asked} == {"test", "tutorial"}
    filters = {"status_category[one_of]": ["declined", "merged", "canceled"]}
    ended = _extract(sandbox, "incidents", filters=filters).rows()
    assert {row["incident_status"]["category"] for row in ended} == {"declined", "merged", "canceled"}
    assert {row["id"] for row in ended} < {row["id"] for row in default}


def test_entries_can_be_those_of_one_type(sandbox: Sandbox) -> None:
    rows = _extract(sandbox, "catalog_entries", catalog_types=['Custom["Service"]']).rows()
    assert len(rows) == 11
    assert len({row["catalog_type_id"] for row in rows}) == 1
    unknown = _extract(sandbox, "catalog_entries", catalog_types=['Custom["Servise"]'])
    assert unknown.rows() == []
    assert unknown.warnings == ["none of 2 parents is as `where` asks, so there are no children"]


def test_the_sandbox_narrows_what_hangs_on_incidents(sandbox: Sandbox) -> None:
    links = _get(sandbox, "/v2/incident_alerts", page_size=50).json()["incident_alerts"]
    alert, incident = links[0]["alert"]["id"], links[0]["incident"]["id"]
    of_alert = _get(sandbox, "/v2/incident_alerts", alert_id=alert).json()["incident_alerts"]
    assert [link["id"] for link in of_alert] == [links[0]["id"]]
    updates = _get(sandbox, "/v2/incident_updates", incident_id=incident).json()["incident_updates"]
    assert {update["incident_id"] for update in updates} == {incident}
    tests = _get(sandbox, "/v2/incident_updates", incident_mode="test").json()["incident_updates"]
    every = _get(sandbox, "/v2/incident_updates", page_size=250).json()["incident_updates"]
    assert tests
    assert {update["id"] for update in tests}.isdisjoint(update["id"] for update in every)
    service = _get(sandbox, "/v3/catalog_types").json()["catalog_types"][0]["id"]
    named = {"catalog_type_id": service, "page_size": 50, "identifier": "svc-search"}
    assert [one["name"] for one in _get(sandbox, "/v3/catalog_entries", **named).json()["catalog_entries"]] == [
        "search"
    ]


def test_the_key_decides_the_workspace(sandbox: Sandbox) -> None:
    names = {
        key: [row["name"] for row in _extract(sandbox, "severities", key=key).rows()]
        for key in (PLATFORM_KEY, PAYMENTS_KEY, MOBILE_KEY)
    }
    assert list(names.values()) == [
        ["Minor", "Major", "Critical"],
        ["SEV3", "SEV2", "SEV1"],
        ["Low", "Medium", "High", "Urgent"],
    ]


def test_pages_that_state_no_total_are_read_to_the_end_all_the_same() -> None:
    with serve(_settings(states_total=False, fewer_per_page=20)) as sandbox:
        rows = _extract(sandbox, "incidents").rows()
        body = _get(sandbox, "/v2/incidents", page_size=250).json()
    assert "total_record_count" not in body["pagination_meta"]
    assert len(rows) > 10 * len(body["incidents"])
    assert len({row["id"] for row in rows}) == len(rows)


def test_an_incident_that_leaves_the_window_while_it_is_the_cursor_does_not_end_the_walk(sandbox: Sandbox) -> None:
    asked = {"sort_by": "created_at_oldest_first", "updated_at[lte]": "2026-03-19", "page_size": 25}
    pages = [_get(sandbox, "/v2/incidents", **asked).json()]
    first_page = [row["id"] for row in pages[0]["incidents"]]
    everything = _get(sandbox, "/v2/incidents", **{**asked, "page_size": 250}).json()["incidents"]
    # Somebody changes it: its place in the order of creation stays.
    gone = first_page[-1][:-1] + ("0" if first_page[-1][-1] != "0" else "1")
    rest = _get(sandbox, "/v2/incidents", **asked, after=gone).json()["incidents"]
    known = {row["id"] for row in everything}
    assert {row["id"] for row in rest} <= known
    assert rest[0]["id"] in {everything[24]["id"], everything[25]["id"]}


@pytest.mark.parametrize("resource", ["incidents", "severities"])
def test_a_key_without_the_scope_is_told_so(sandbox: Sandbox, resource: str) -> None:
    with pytest.raises(RejectedError, match="scope to view this resource"):
        _extract(sandbox, resource, key=KEY_WITHOUT_SCOPES)
    assert probe("orbit", _connection(sandbox, KEY_WITHOUT_SCOPES), (), timeout_seconds=30).note


def test_a_key_that_is_none_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(RejectedError, match="did not accept the credentials"):
        probe("orbit", _connection(sandbox, "no-key"), (), timeout_seconds=30)


def test_a_429_says_in_a_date_of_its_own_form_when_to_go_on() -> None:
    with serve(_settings(requests_per_minute=1)) as sandbox:
        assert _get(sandbox, "/v1/severities").is_success
        refused = _get(sandbox, "/v1/severities")
        assert _get(sandbox, "/v1/severities", PAYMENTS_KEY).is_success
        waiting = FakeTime(wall=time.time())
        with pytest.raises(RateLimitedError):
            _extract(sandbox, "severities", time=waiting)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"].endswith(" UTC")
    assert refused.json()["type"] == "too_many_requests"
    assert refused.json()["rate_limit"]["retry_after"] == refused.headers["Retry-After"]
    seconds = retry_after_seconds(refused.headers["Retry-After"], now=time.time())
    assert seconds is not None
    assert 0 < seconds <= 62
    assert 0 < waiting.slept[0] <= 62


@pytest.mark.parametrize(
    ("path", "parameters", "field"),
    [
        ("/v2/incidents", {"page_size": 251}, "page_size"),
        ("/v2/incidents", {"updated_at[gte]": "2026-03-18T00:00:00Z"}, "updated_at[gte]"),
        ("/v2/incidents", {"updated_at[after]": "2026-03-18"}, "updated_at[after]"),
        ("/v2/incidents", {"sort_by": "oldest"}, "sort_by"),
        ("/v2/incidents", {"after": "nobody"}, "after"),
        ("/v2/alerts", {}, "page_size"),
        ("/v2/alerts", {"page_size": 51}, "page_size"),
        ("/v3/catalog_entries", {"page_size": 250}, "catalog_type_id"),
        ("/v1/custom_field_options", {}, "custom_field_id"),
        ("/v1/severities", {"limit": 5}, "limit"),
    ],
)
def test_the_sandbox_refuses_what_the_api_does_not_know(
    sandbox: Sandbox, path: str, parameters: dict[str, Any], field: str
) -> None:
    refused = _get(sandbox, path, **parameters)
    assert refused.status_code == 422
    assert refused.json()["type"] == "validation_error"
    assert refused.json()["errors"][0]["source"]["field"] == field


def test_follow_ups_are_read_from_the_version_that_stays(sandbox: Sandbox) -> None:
    assert _get(sandbox, "/v2/follow_ups").is_success
    sandbox.clock.set("2026-12-31T00:00:00Z")
    assert _get(sandbox, "/v2/follow_ups").status_code == 404
    assert _extract(sandbox, "follow_ups").row_count > 100
