"""Datadog's and Nobl9's objectives: a row per objective and day, a past that changes, tokens and limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from penstock.artifacts import Interval
from penstock.connections import DatadogSloConnection, Nobl9Connection
from penstock.errors import DataError, RejectedError
from penstock.sources.base import SourceSpec
from penstock.sources.datadog_slo import DatadogSloDataset
from penstock.sources.nobl9 import Nobl9Dataset
from sandbox.clock import Clock
from sandbox.datadog_slo.settings import DATADOG_API_KEY, DATADOG_APPLICATION_KEY, DatadogSloSettings
from sandbox.faults import Fault
from sandbox.nobl9.settings import NOBL9_CLIENT_ID, NOBL9_CLIENT_SECRET, NOBL9_ORGANIZATION, Nobl9Settings
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.probing import datadog_slo as datadog_probe
from tasks.probing import nobl9 as nobl9_probe
from tasks.sources.contract import ExtractRequest
from tasks.sources.datadog_slo.connection import settings_of as datadog_settings_of
from tasks.sources.datadog_slo.extract import extract as extract_datadog
from tasks.sources.nobl9.connection import settings_of as nobl9_settings_of
from tasks.sources.nobl9.extract import extract as extract_nobl9
from tests.fakes.clock import FakeTime
from tests.fakes.scripted_api import Answer, Asked, scripted_api
from tests.fakes.sink import MemorySink

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
FULL = Interval(start=None, end=None, as_of=NOW)
WEEK = Interval(start=NOW - timedelta(days=7, hours=12), end=NOW - timedelta(hours=12), as_of=NOW)
DAY_SECONDS = 86_400


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    settings = SandboxSettings(
        clock=Clock(NOW),
        datadog_slo=DatadogSloSettings(requests_per_period=1_000_000),
        nobl9=Nobl9Settings(requests_per_second=1_000_000, fewer_per_page=11),
    )
    with serve(settings) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Iterator[Sandbox]:
    server.reset()
    server.clock.set(NOW)
    yield server
    server.clock.set(NOW)


def _datadog(url: str, **keys: str) -> DatadogSloConnection:
    given = {"api_key": DATADOG_API_KEY, "application_key": DATADOG_APPLICATION_KEY, **keys}
    return DatadogSloConnection.model_validate({"kind": "datadog_slo", **given, "base_url": url})


def _nobl9(url: str, **changed: str) -> Nobl9Connection:
    given = {"organization": NOBL9_ORGANIZATION, "client_id": NOBL9_CLIENT_ID, "client_secret": NOBL9_CLIENT_SECRET}
    return Nobl9Connection.model_validate({"kind": "nobl9", **given, "base_url": url, **changed})


def _read(url: str, interval: Interval = FULL, clock: FakeTime | None = None, **dataset: Any) -> MemorySink:
    sink = MemorySink()
    spec = DatadogSloDataset.model_validate({"name": "things", **dataset})
    request = ExtractRequest(SourceSpec(kind="datadog_slo", connection="orbit"), spec, interval, "orbit")
    extract_datadog(request, _datadog(url), sink, clock=(clock or FakeTime()).clock)
    return sink


def _read_nobl9(url: str, clock: FakeTime | None = None, **changed: str) -> MemorySink:
    sink = MemorySink()
    request = ExtractRequest(SourceSpec(kind="nobl9", connection="orbit"), Nobl9Dataset(name="slos"), FULL, "orbit")
    extract_nobl9(request, _nobl9(url, **changed), sink, clock=(clock or FakeTime(wall=time.time())).clock)
    return sink


def _ask(sandbox: Sandbox, path: str, **parameters: Any) -> httpx.Response:
    headers = {"DD-API-KEY": DATADOG_API_KEY, "DD-APPLICATION-KEY": DATADOG_APPLICATION_KEY}
    return httpx.get(f"{sandbox.service_url('datadog_slo')}{path}", params=parameters, headers=headers)


@pytest.mark.parametrize("report", ["history", "status"])
def test_every_objective_has_a_row_for_every_day_with_its_bounds(sandbox: Sandbox, report: str) -> None:
    url = sandbox.service_url("datadog_slo")
    slos = _read(url, report="slos").rows()
    sink = _read(url, WEEK, report=report)
    rows = sink.rows()
    start, _ = WEEK.bounds()
    days = [f"{start + timedelta(days=day):%Y-%m-%dT00:00:00Z}" for day in range(8)]
    assert sorted((row["slo_id"], row["bucket_start"], row["bucket_end"]) for row in rows) == sorted(
        (slo["id"], *bounds) for slo in slos for bounds in pairwise(days)
    )
    assert sink.row_count == len(slos) * 7 == 13 * 7
    assert len(sandbox.log.requests("*/api/v1/slo")) == 2


def test_days_are_those_of_the_windows_zone_also_when_its_clock_changes(sandbox: Sandbox) -> None:
    new_york = {"timezone": "America/New_York", "as_of": NOW}
    start, end = datetime(2026, 3, 7, 5, tzinfo=UTC), datetime(2026, 3, 10, 4, tzinfo=UTC)
    rows = _read(
        sandbox.service_url("datadog_slo"), Interval(start=start, end=end, **new_york), report="history"
    ).rows()
    assert {row["to_ts"] - row["from_ts"] for row in rows} == {DAY_SECONDS, DAY_SECONDS - 3_600}
    assert len(rows) == 13 * 3


def test_shapes_differ_by_type_and_one_objective_has_measured_nothing(sandbox: Sandbox) -> None:
    rows = _read(sandbox.service_url("datadog_slo"), WEEK, report="history").rows()
    by_type = {kind: [row for row in rows if row["type"] == kind] for kind in ("metric", "monitor", "time_slice")}
    assert all(by_type.values())
    assert all("series" in row for row in by_type["metric"])
    assert all("history" in row["overall"] for row in by_type["monitor"] + by_type["time_slice"])
    assert any(row["overall"]["sli_value"] is None for row in rows)


def test_a_correction_changes_a_day_that_was_over(sandbox: Sandbox) -> None:
    url = sandbox.service_url("datadog_slo")
    corrections = sorted(
        (row["attributes"] for row in _read(url, report="corrections").rows()), key=lambda one: one["start"]
    )
    assert len(corrections) > 15
    newest = corrections[-2]  # the last one is of the objective that has measured nothing
    first = newest["start"] - newest["start"] % DAY_SECONDS
    day = Interval(
        start=datetime.fromtimestamp(first, UTC), end=datetime.fromtimestamp(first + DAY_SECONDS, UTC), as_of=NOW
    )

    def hours(**more: Any) -> list[Any]:
        (row,) = [row for row in _read(url, day, report="history", **more).rows() if row["slo_id"] == newest["slo_id"]]
        return row["series"]["times"] if "series" in row else row["overall"]["history"]  # type: ignore[no-any-return]

    corrected = hours()
    assert len(hours(apply_correction=False)) == 24
    assert len(corrected) == 22
    sandbox.clock.set(datetime.fromtimestamp(newest["created_at"] - 1, UTC))
    assert len(hours()) == 24


def test_a_target_of_ones_own_adds_its_budget(sandbox: Sandbox) -> None:
    rows = _read(sandbox.service_url("datadog_slo"), WEEK, report="history", target=99.7).rows()
    assert all("custom" in row["overall"]["error_budget_remaining"] for row in rows)


def test_a_tag_chooses_definitions_and_what_is_asked_for_each(sandbox: Sandbox) -> None:
    url = sandbox.service_url("datadog_slo")
    chosen = _read(url, report="slos", tags_query="team:core").rows()
    assert 0 < len(chosen) < 13
    rows = _read(url, WEEK, report="history", tags_query="team:core").rows()
    assert {row["slo_id"] for row in rows} == {row["id"] for row in chosen}


def test_an_objective_that_is_deleted_on_the_way_is_passed_over_with_a_remark(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="server_error", status=404, path="*/history", times=1, after=3))
    sink = _read(sandbox.service_url("datadog_slo"), WEEK, report="history", concurrency=1)
    assert sink.row_count == 13 * 7 - 1
    assert sink.warnings == ["1 of 13 parents were gone when their children were asked for"]


def test_a_window_that_an_api_with_one_row_for_all_of_it_cannot_tile_is_cut() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/api/v1/slo":
            return Answer({"data": [{"id": "a"}], "metadata": {"page": {"total_filtered_count": 1}}})
        return Answer({"data": {"from_ts": int(asked.query["from_ts"])}, "errors": None})

    two_hours = Interval(start=NOW - timedelta(hours=2), end=NOW, as_of=NOW)
    with scripted_api(answer) as api:
        rows = _read(api.url, two_hours, report="history", every="1h").rows()
    assert [int(NOW.timestamp()) - row["from_ts"] for row in rows] == [7_200, 3_600]


def test_an_answer_without_an_object_is_an_error_and_no_row() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.path == "/api/v1/slo":
            return Answer({"data": [{"id": "a"}], "metadata": {"page": {"total_filtered_count": 1}}})
        return Answer({"data": None, "errors": ["no data yet"]})

    with scripted_api(answer) as api, pytest.raises(DataError):
        _read(api.url, WEEK, report="history")


def test_datadogs_pause_is_the_time_until_its_period_ends() -> None:
    settings = DatadogSloSettings(requests_per_period=1, period_seconds=3_000)
    with serve(SandboxSettings(clock=Clock(NOW), datadog_slo=settings)) as sandbox:
        assert _ask(sandbox, "/api/v1/slo").headers["X-RateLimit-Remaining"] == "0"
        refused = _ask(sandbox, "/api/v1/slo")
    assert refused.status_code == 429
    assert "Retry-After" not in refused.headers
    assert 0 < int(refused.headers["X-RateLimit-Reset"]) <= 3_000

    replies = iter([Answer({"errors": ["too many"]}, 429, {"X-RateLimit-Reset": "41"})])
    fine = {"data": [], "errors": [], "metadata": {"page": {"total_filtered_count": 0}}}
    clock = FakeTime()
    with scripted_api(lambda _asked: next(replies, Answer(fine))) as api:
        assert _read(api.url, clock=clock, report="slos").rows() == []
    assert clock.slept == [41.0]


@pytest.mark.parametrize("key", ["api_key", "application_key"])
def test_datadog_wants_both_keys(sandbox: Sandbox, key: str) -> None:
    url = sandbox.service_url("datadog_slo")
    assert datadog_probe.probe("orbit", _datadog(url), (), timeout_seconds=60).note
    with pytest.raises(RejectedError, match="slos_read"):
        datadog_probe.probe("orbit", _datadog(url, **{key: "another"}), (), timeout_seconds=60)


def test_datadogs_address_is_its_sites() -> None:
    settings = {"kind": "datadog_slo", "api_key": "a", "application_key": "b"}
    for site, address in (("datadoghq.com", "https://api.datadoghq.com"), ("ddog-gov.com", "https://api.ddog-gov.com")):
        connection = DatadogSloConnection.model_validate({**settings, "site": site})
        assert datadog_settings_of("orbit", connection).base_url == address
    for wrong in ("https://api.datadoghq.com", "datadoghq", "evil.example/path"):
        with pytest.raises(ValueError, match="site"):
            DatadogSloConnection.model_validate({**settings, "site": wrong})


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/api/v1/slo", {"page": 1}),
        ("/api/v1/slo", {"limit": 1_001}),
        ("/api/v1/slo/{id}/history", {"to_ts": 5}),
        ("/api/v1/slo/{id}/history", {"from_ts": "2026-03-18", "to_ts": 5}),
        ("/api/v1/slo/{id}/history", {"from_ts": 7, "to_ts": 5}),
    ],
)
def test_the_sandbox_refuses_what_datadog_does_not_know(
    sandbox: Sandbox, path: str, parameters: dict[str, Any]
) -> None:
    slo = _ask(sandbox, "/api/v1/slo").json()["data"][0]["id"]
    assert _ask(sandbox, path.replace("{id}", slo), **parameters).status_code == 400


@pytest.mark.parametrize(
    ("dataset", "complaint"),
    [
        ({"report": "slos", "every": "1h"}, "is for history and status"),
        ({"report": "status", "target": 99}, "are for history"),
        ({"report": "corrections", "tags_query": "a:b"}, "cannot be chosen by a tag"),
    ],
)
def test_a_datadog_dataset_that_cannot_work_is_no_valid_file(dataset: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        DatadogSloDataset.model_validate({"name": "things", **dataset})


@pytest.mark.parametrize("report", ["slos", "history", "status", "corrections"])
def test_a_datadog_dataset_survives_its_way_through_json(report: str) -> None:
    spec = DatadogSloDataset.model_validate({"name": "things", "report": report})
    assert DatadogSloDataset.model_validate_json(spec.model_dump_json()) == spec


def test_nobl9s_objectives_come_to_the_last_page_with_one_token(sandbox: Sandbox) -> None:
    rows = _read_nobl9(sandbox.service_url("nobl9")).rows()
    assert len(rows) == 40
    assert len({(row["project"]["name"], row["name"]) for row in rows}) == 40
    assert len(sandbox.log.requests("/nobl9/api/accessToken")) == 1
    assert len(sandbox.log.requests("/nobl9/api/v2/slos")) == 4
    objectives = [objective for row in rows for objective in row["objectives"]]
    assert {"reliability" in objective for objective in objectives} == {True, False}


def test_nobl9s_status_moves_with_the_clock(sandbox: Sandbox) -> None:
    before = _read_nobl9(sandbox.service_url("nobl9")).rows()
    sandbox.clock.advance(hours=5)
    sandbox.reset()
    after = _read_nobl9(sandbox.service_url("nobl9")).rows()
    assert [row["name"] for row in before] == [row["name"] for row in after]
    assert before != after


def test_a_page_of_nobl9_that_names_itself_as_the_next_is_an_error(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="repeated_page_token", path="/nobl9/api/v2/slos", after=2))
    with pytest.raises(DataError):
        _read_nobl9(sandbox.service_url("nobl9"))


def test_nobl9_gives_out_a_token_every_three_seconds_and_no_sooner(sandbox: Sandbox) -> None:
    url = sandbox.service_url("nobl9")
    headers = {"Organization": NOBL9_ORGANIZATION, "Accept": "application/json; version=v1alpha"}
    with httpx.Client(auth=(NOBL9_CLIENT_ID, NOBL9_CLIENT_SECRET), headers=headers) as client:
        statuses = [client.post(f"{url}/accessToken").status_code for _ in range(2)]
    assert statuses == [200, 429]


@pytest.mark.parametrize("changed", [{"organization": "another"}, {"client_secret": "wrong-secret-value"}])
def test_nobl9_wants_its_organisation_and_its_key(sandbox: Sandbox, changed: dict[str, str]) -> None:
    url = sandbox.service_url("nobl9")
    with pytest.raises(RejectedError, match="token endpoint refused the client"):
        nobl9_probe.probe("orbit", _nobl9(url, **changed), (), timeout_seconds=60)
    assert nobl9_probe.probe("orbit", _nobl9(url), (), timeout_seconds=60).note


def test_nobl9s_own_address_has_nobl9s_limit() -> None:
    given = {"kind": "nobl9", "organization": "orbit", "client_id": "id", "client_secret": "secret"}
    own = nobl9_settings_of("orbit", Nobl9Connection.model_validate(given))
    assert own.base_url == "https://app.nobl9.com/api"
    assert [budget.limit.requests for budget in own.budgets.values() if budget.limit] == [10]
    there = nobl9_settings_of("orbit", Nobl9Connection.model_validate({**given, "base_url": "http://127.0.0.1:1/api"}))
    assert [budget.limit for budget in there.budgets.values()] == [None]
