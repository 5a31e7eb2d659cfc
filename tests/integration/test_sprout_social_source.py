"""Sprout Social: the customer, batches and windows, the silent cap, and late numbers, against the emulated API."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from penstock.artifacts import Interval
from penstock.connections import SproutSocialConnection
from penstock.errors import ConfigurationError, DataError, RejectedError
from penstock.sources.sprout_social import SproutSocialDataset, SproutSocialSource
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from sandbox.sprout_social.settings import (
    DOCUMENTED_LIMITS,
    SPROUT_AGENCY_TOKEN,
    SPROUT_CUSTOMER_ID,
    SPROUT_EU_CUSTOMER_ID,
    SPROUT_TOKEN,
    SproutSocialSettings,
)
from tasks.probing.sprout_social import probe
from tasks.sources.contract import ExtractRequest
from tasks.sources.sprout_social.extract import extract
from tests.fakes.clock import FakeTime
from tests.fakes.scripted_api import Answer, scripted_api
from tests.fakes.sink import MemorySink

NOW = "2026-03-20T12:00:00Z"
CAP = 20
ROOT = f"/v1/{SPROUT_CUSTOMER_ID}"


def _serve(**sprout: Any) -> Any:
    settings = SproutSocialSettings(**{"messages_per_day": 3, **sprout})
    return serve(SandboxSettings(clock=Clock(NOW), sprout_social=settings))


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with _serve() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    server.clock.set(NOW)
    return server


@pytest.fixture(scope="module")
def capped() -> Iterator[Sandbox]:
    with _serve(result_cap=CAP) as sandbox:
        yield sandbox


def _days(first: str, count: int) -> Interval:
    start = datetime.fromisoformat(f"{first}T00:00:00+00:00")
    return Interval(start=start, end=start + timedelta(days=count), as_of=datetime.fromisoformat(NOW))


def _extract(sandbox: Sandbox | str, interval: Interval, *, token: str = SPROUT_TOKEN, **dataset: Any) -> MemorySink:
    connection = dataset.pop("connection", {})
    sink = MemorySink()
    url = sandbox if isinstance(sandbox, str) else sandbox.service_url("sprout_social")
    settings = {"kind": "sprout_social", "token": token, "base_url": url, **connection}
    spec = SproutSocialDataset.model_validate({"name": "data", **dataset})
    source = SproutSocialSource(kind="sprout_social", connection="acme-sprout")
    request = ExtractRequest(source, spec, interval, "acme-sprout")
    made = SproutSocialConnection.model_validate(settings)
    extract(request, made, sink, clock=FakeTime(wall=time.time()).clock)
    return sink


def _rows(sandbox: Sandbox | str, interval: Interval, **dataset: Any) -> list[dict[str, Any]]:
    sink = _extract(sandbox, interval, **dataset)
    rows = [row for file in sink.files for row in file.rows()]
    assert sum(file.row_count for file in sink.files) == len(rows)
    return rows


def _asked(sandbox: Sandbox, path: str) -> list[str]:
    return [request.detail for request in sandbox.log.requests(f"/sprout_social{ROOT}{path}")]


def test_the_only_customer_is_found_and_several_have_to_be_told_apart(sandbox: Sandbox) -> None:
    assert len(_rows(sandbox, _days("2026-03-19", 1), endpoint="groups")) == 3
    assert [one.path for one in sandbox.log.requests()] == [
        "/sprout_social/v1/metadata/client",
        f"/sprout_social{ROOT}/metadata/customer/groups",
    ]
    with pytest.raises(ConfigurationError, match="several customers") as caught:
        _extract(sandbox, _days("2026-03-19", 1), endpoint="groups", token=SPROUT_AGENCY_TOKEN)
    assert caught.value.customers == f"{SPROUT_CUSTOMER_ID}, {SPROUT_EU_CUSTOMER_ID}"
    stated = {"customer_id": SPROUT_EU_CUSTOMER_ID}
    named = {"endpoint": "profiles", "token": SPROUT_AGENCY_TOKEN, "connection": stated}
    foreign = {row["customer_profile_id"] for row in _rows(sandbox, _days("2026-03-19", 1), **named)}
    own = {row["customer_profile_id"] for row in _rows(sandbox, _days("2026-03-19", 1), endpoint="profiles")}
    assert len(foreign) == len(own)
    assert not foreign & own
    with pytest.raises(RejectedError, match="lack a right") as refused:
        _extract(sandbox, _days("2026-03-19", 1), endpoint="groups", connection=stated)
    assert refused.value.request_id
    clients = _rows(sandbox, _days("2026-03-19", 1), endpoint="clients")
    assert [row["customer_id"] for row in clients] == [SPROUT_CUSTOMER_ID]


@pytest.mark.parametrize("listed", [[], [{"customer_id": "../../x"}]])
def test_a_customer_that_is_none_goes_into_no_path(listed: list[Any]) -> None:
    with scripted_api(lambda _: Answer({"data": listed})) as api:
        with pytest.raises((RejectedError, DataError), match="customer"):
            _extract(api.url, _days("2026-03-19", 1), endpoint="groups")
        assert api.paths() == ["/v1/metadata/client"]


def test_a_probe_names_the_customer(sandbox: Sandbox) -> None:
    url = sandbox.service_url("sprout_social")
    connection = SproutSocialConnection.model_validate(
        {"kind": "sprout_social", "token": SPROUT_TOKEN, "base_url": url}
    )
    assert str(SPROUT_CUSTOMER_ID) in probe("acme-sprout", connection, (), timeout_seconds=30).note


@pytest.mark.parametrize("name", ["profiles", "groups", "tags", "users", "teams", "topics", "queues"])
def test_a_list_comes_whole_as_sprouts_own_records(sandbox: Sandbox, name: str) -> None:
    path = "/metadata/customer" if name == "profiles" else f"/metadata/customer/{name}"
    url = f"{sandbox.service_url('sprout_social')}{ROOT}{path}"
    answer = httpx.get(url, headers={"Authorization": f"Bearer {SPROUT_TOKEN}"}).raise_for_status()
    [file] = _extract(sandbox, _days("2026-03-19", 1), endpoint=name).files
    assert b'{"data":[%s]}' % b",".join(bytes(file.data).splitlines()) == answer.content


def test_a_profiles_day_carries_its_keys_in_front_of_sprouts_own_bytes(sandbox: Sandbox) -> None:
    [file] = _extract(sandbox, _days("2026-03-18", 1), endpoint="profile_analytics", networks=["youtube"]).files
    [line] = bytes(file.data).splitlines()
    profile, day = "75100006", "2026-03-18"
    own = f'{{"dimensions":{{"customer_profile_id":"{profile}","reporting_period.by(day)":"{day}"}},"metrics":{{'
    assert line.startswith(b'{"customer_profile_id":"%s","reporting_period":"%s",' % (profile.encode(), day.encode()))
    assert own.encode()[1:] in line


def test_a_hundred_profiles_go_into_one_request_and_a_long_window_is_cut_before_it_is_cut_off() -> None:
    with _serve(more_profiles=110) as sandbox:
        shown = {"networks": ["facebook"], "metrics": {"facebook": ["reactions"]}}
        interval = _days("2026-02-10", 20)
        rows = _rows(sandbox, interval, endpoint="profile_analytics", row_cap=1_000, page_size=200, **shown)
        asked = dict.fromkeys(_asked(sandbox, "/analytics/profiles"))
    assert len({(row["customer_profile_id"], row["reporting_period"]) for row in rows}) == len(rows) == 113 * 20
    filters = [re.fullmatch(r"customer_profile_id.eq\(([\d, ]+)\) reporting_period.in\((.+)\)", one) for one in asked]
    counts = [(len(found[1].split(",")), found[2]) for found in filters if found]
    assert counts == [
        (100, "2026-02-10...2026-02-18"),
        (100, "2026-02-18...2026-02-26"),
        (100, "2026-02-26...2026-03-02"),
        (13, "2026-02-10...2026-03-02"),
    ]


def test_pages_are_asked_for_in_the_body_to_the_last(sandbox: Sandbox) -> None:
    shown = {"endpoint": "post_analytics", "networks": ["facebook"], "fields": ["text"]}
    whole = _rows(sandbox, _days("2026-03-13", 6), **shown)
    sandbox.log.clear()
    paged = _rows(sandbox, _days("2026-03-13", 6), page_size=2, **shown)
    assert len(whole) > 7
    assert sorted(map(str, paged)) == sorted(map(str, whole))
    asked = sandbox.log.requests(f"/sprout_social{ROOT}/analytics/posts")
    assert {request.query for request in asked} == {""}
    assert len(asked) > len(whole) // 2
    assert all(set(row) == {"guid", "created_time", "customer_profile_id", "text", "metrics"} for row in whole)


def test_cases_of_a_month_are_asked_for_a_week_at_a_time(sandbox: Sandbox) -> None:
    month = _rows(sandbox, _days("2026-02-18", 30), endpoint="cases")
    asked = sorted(set(_asked(sandbox, "/cases/filter")))
    assert [re.findall(r"2026-\d\d-\d\d", one) for one in asked] == [
        ["2026-02-18", "2026-02-25"],
        ["2026-02-25", "2026-03-04"],
        ["2026-03-04", "2026-03-11"],
        ["2026-03-11", "2026-03-18"],
        ["2026-03-18", "2026-03-20"],
    ]
    assert len({row["id"] for row in month}) == len(month) > 50
    single = [row for day in range(30) for row in _rows(sandbox, _days(str(_day(day)), 1), endpoint="cases")]
    assert sorted(row["id"] for row in single) == sorted(row["id"] for row in month)


def _day(number: int) -> Any:
    return datetime.fromisoformat("2026-02-18").date() + timedelta(days=number)


@pytest.mark.parametrize(
    "dataset",
    [
        {"endpoint": "post_analytics", "networks": ["instagram", "facebook"], "page_size": 10},
        {"endpoint": "messages", "page_size": 10},
        {"endpoint": "cases", "page_size": 10},
    ],
    ids=["posts", "messages", "cases"],
)
def test_a_query_that_would_be_cut_off_is_halved_until_every_row_is_there_once(
    sandbox: Sandbox, capped: Sandbox, dataset: dict[str, Any]
) -> None:
    whole = _rows(sandbox, _days("2026-03-06", 14), **dataset)
    halved = _rows(capped, _days("2026-03-06", 14), row_cap=CAP, **dataset)
    assert len(whole) > 2 * CAP
    assert sorted(map(str, halved)) == sorted(map(str, whole))


@pytest.mark.parametrize("endpoint", ["post_analytics", "messages"])
def test_a_query_that_cannot_be_halved_any_more_is_an_error(sandbox: Sandbox, endpoint: str) -> None:
    with pytest.raises(DataError, match="its time cannot be cut") as caught:
        _extract(sandbox, _days("2026-03-18", 1), endpoint=endpoint, row_cap=1, page_size=1)
    assert "profiles_per_request" in caught.value.guidance


def test_a_single_page_is_counted_by_its_rows_and_not_by_its_size(sandbox: Sandbox) -> None:
    shown = {"endpoint": "profile_analytics", "networks": ["youtube"], "page_size": 50, "row_cap": 20}
    assert len(_rows(sandbox, _days("2026-03-18", 1), **shown)) == 1
    assert len(sandbox.log.requests("*/analytics/profiles")) == 1


def test_days_are_restated_and_posts_grow_so_that_reading_again_brings_newer_numbers(sandbox: Sandbox) -> None:
    days = {"endpoint": "profile_analytics", "networks": ["instagram"]}
    posts = {"endpoint": "post_analytics", "networks": ["instagram"]}
    reads = {}
    for moment in (NOW, "2026-03-24T12:00:00Z"):
        sandbox.clock.set(moment)
        reads[moment] = [_rows(sandbox, _days("2026-03-18", 2), **dataset) for dataset in (days, posts)]
    (old_days, old_posts), (new_days, new_posts) = reads.values()
    key = ("customer_profile_id", "reporting_period")
    assert [[row[name] for name in key] for row in old_days] == [[row[name] for name in key] for row in new_days]
    assert [row["guid"] for row in old_posts] == [row["guid"] for row in new_posts]
    assert old_days
    for old, new in zip(old_days, new_days, strict=True):
        assert old["metrics"]["reactions"] < new["metrics"]["reactions"]
    seen = "lifetime.impressions"
    assert all(old["metrics"][seen] < new["metrics"][seen] for old, new in zip(old_posts, new_posts, strict=True))


def test_a_message_gets_its_case_and_tags_later_and_is_read_with_them_then(sandbox: Sandbox) -> None:
    def read() -> dict[str, dict[str, Any]]:
        return {row["guid"]: row for row in _rows(sandbox, _days("2026-03-17", 1), endpoint="messages")}

    later = read()
    cases = {row["id"]: row for row in _rows(sandbox, _days("2026-03-17", 2), endpoint="cases", by="created_time")}
    guid = next(guid for guid, row in later.items() if row["case_id"] in cases)
    opened = datetime.fromisoformat(cases[later[guid]["case_id"]]["created_time"])
    sandbox.clock.set(opened - timedelta(seconds=1))
    assert read()[guid]["case_id"] is None
    sandbox.clock.set(opened)
    assert read()[guid]["case_id"] == later[guid]["case_id"]

    tagged = next(guid for guid, row in later.items() if row["internal"]["tags"])
    sandbox.clock.set(datetime.fromisoformat(later[tagged]["created_time"]))
    assert read()[tagged]["internal"]["tags"] == []
    assert {row["internal"]["sent_by"] is None for row in later.values()} == {True, False}


def test_a_window_without_rows_is_no_rows_and_no_error(sandbox: Sandbox) -> None:
    for endpoint in ("profile_analytics", "post_analytics", "messages", "cases"):
        assert _extract(sandbox, _days("2024-03-18", 2), endpoint=endpoint).files == []


def test_a_metric_that_no_network_has_is_named_with_its_network(sandbox: Sandbox) -> None:
    with pytest.raises(RejectedError, match="retired a metric") as caught:
        _extract(sandbox, _days("2026-03-18", 1), endpoint="profile_analytics", metrics={"tiktok": ["lifetime.reach"]})
    assert (caught.value.network, caught.value.status) == ("tiktok", 400)


def test_a_metric_of_another_network_is_left_out_of_the_rows(sandbox: Sandbox) -> None:
    asked = {"networks": ["youtube"], "metrics": {"youtube": ["net_follower_growth", "saves"]}}
    [row] = _rows(sandbox, _days("2026-03-18", 1), endpoint="profile_analytics", **asked)
    assert set(row["metrics"]) == {"net_follower_growth"}


def test_a_profile_that_the_customer_has_not_is_named(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="no such profiles") as caught:
        _extract(sandbox, _days("2026-03-18", 1), endpoint="messages", profiles=[75100000, 5])
    assert caught.value.profiles == "5"


def test_a_cursor_that_comes_twice_is_an_error(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(kind="repeated_page_token", path="*/messages", after=1))
    with pytest.raises(DataError, match="same next page twice"):
        _extract(sandbox, _days("2026-03-16", 3), endpoint="messages", page_size=5)


@pytest.mark.parametrize(
    ("method", "path", "request_of", "status"),
    [
        ("GET", "/v1/metadata/client", {"headers": {"Authorization": "Bearer wrong"}}, 401),
        ("POST", "/v1/metadata/client", {"json": {}}, 405),
        ("GET", f"{ROOT}/metadata/nothing", {}, 404),
        ("GET", f"/v1/{SPROUT_EU_CUSTOMER_ID}/metadata/customer", {}, 403),
        ("POST", f"{ROOT}/messages", {"content": "filters=1"}, 415),
        ("POST", f"{ROOT}/messages", {"json": {}}, 400),
        ("POST", f"{ROOT}/messages", {"json": {"filters": ["customer_profile_id.eq(75100000)"]}}, 400),
        ("POST", f"{ROOT}/cases/filter", {"json": {"filters": ["created_time.in(2026-03-01...2026-03-09)"]}}, 400),
    ],
)
def test_the_sandbox_refuses_as_sprout_does(
    sandbox: Sandbox, method: str, path: str, request_of: dict[str, Any], status: int
) -> None:
    headers = {"Authorization": f"Bearer {SPROUT_TOKEN}", **request_of.pop("headers", {})}
    answer = httpx.request(method, f"{sandbox.service_url('sprout_social')}{path}", headers=headers, **request_of)
    assert answer.status_code == status
    assert isinstance(answer.json()["error"], str)
    assert answer.headers["X-Sprout-Request-ID"]


def test_a_page_in_the_query_is_not_heard_and_one_past_the_end_is_refused(sandbox: Sandbox) -> None:
    url = f"{sandbox.service_url('sprout_social')}{ROOT}/analytics/posts"
    headers = {"Authorization": f"Bearer {SPROUT_TOKEN}"}
    filters = ["customer_profile_id.eq(75100003)", "created_time.in(2026-03-01T00:00:00...2026-03-19T00:00:00)"]
    body = {"filters": filters, "limit": 5, "fields": ["guid"]}
    first = httpx.post(url, headers=headers, json=body).json()
    assert httpx.post(f"{url}?page=2", headers=headers, json=body).json() == first
    beyond = {**body, "page": first["paging"]["total_pages"] + 1}
    assert httpx.post(url, headers=headers, json=beyond).status_code == 400


def test_the_sixty_first_request_of_a_minute_is_a_429_without_a_pause() -> None:
    with _serve(limits=DOCUMENTED_LIMITS) as sandbox, httpx.Client() as client:
        url = f"{sandbox.service_url('sprout_social')}{ROOT}/metadata/customer/groups"
        headers = {"Authorization": f"Bearer {SPROUT_TOKEN}"}
        answers = [client.get(url, headers=headers) for _ in range(61)]
        assert [answer.status_code for answer in answers] == [200] * 60 + [429]
        assert "retry-after" not in answers[-1].headers
