"""The emulated AI tools keep to what their vendors say: parameters, limits, errors, links that do not live long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.ai_tools.settings import (
    ANTHROPIC_KEY,
    COPILOT_TOKEN,
    CURSOR_KEY,
    DOCUMENTED_LIMITS,
    KEY_WITHOUT_RIGHTS,
    LITELLM_KEY,
    OPENAI_KEY,
    SOURCEGRAPH_INSTANCE,
    SOURCEGRAPH_TOKEN,
    WINDSURF_KEY,
    AiToolsSettings,
)
from sandbox.clock import Clock
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

NOW = "2026-03-20T14:30:00Z"
VERSION = {"anthropic-version": "2023-06-01"}
START = 1773705600
DAY = {"startDate": START * 1000, "endDate": (START + 86_400) * 1000 - 1}
ADMIN = {"x-api-key": ANTHROPIC_KEY, **VERSION}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serve(
        SandboxSettings(clock=Clock(NOW), ai_tools=AiToolsSettings(requests_per_minute=DOCUMENTED_LIMITS))
    ) as one:
        yield one


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture(autouse=True)
def _fresh(sandbox: Sandbox) -> None:
    sandbox.reset()
    sandbox.clock.set(NOW)


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


REFUSED: list[tuple[str, str, dict[str, Any], int, dict[str, Any]]] = [
    ("anthropic", "/v1/organizations/cost_report", {"headers": ADMIN}, 400, {"type": "error"}),
    ("anthropic", "/v1/organizations/users", {"headers": {"x-api-key": ANTHROPIC_KEY}}, 400, {"type": "error"}),
    ("anthropic", "/v1/organizations/users", {"headers": {"x-api-key": "x", **VERSION}}, 401, {"type": "error"}),
    (
        "anthropic",
        "/v1/organizations/cost_report?starting_at=2026-03-17T00:00:00Z&bucket_width=1h",
        {"headers": ADMIN},
        400,
        {"type": "error"},
    ),
    (
        "anthropic",
        "/v1/organizations/usage_report/messages?starting_at=2026-03-17T00:00:00Z&limit=32",
        {"headers": ADMIN},
        400,
        {"type": "error"},
    ),
    ("openai", "/organization/costs?start_time=2026-03-17", {"headers": _bearer(OPENAI_KEY)}, 400, {}),
    (
        "openai",
        f"/organization/costs?start_time={START}&group_by=api_key_id",
        {"headers": _bearer(OPENAI_KEY)},
        400,
        {},
    ),
    ("openai", "/organization/users", {"headers": _bearer(KEY_WITHOUT_RIGHTS)}, 403, {}),
    ("cursor", "/teams/members", {"auth": (CURSOR_KEY, "a password")}, 401, {"error": "Unauthorized"}),
    (
        "cursor",
        "/teams/daily-usage-data",
        {"auth": (CURSOR_KEY, ""), "json": {**DAY, "endDate": DAY["startDate"] + 31 * 86_400_000}},
        400,
        {"error": "Bad Request"},
    ),
    ("copilot", "/orgs/orbit/copilot/metrics", {"headers": _bearer(COPILOT_TOKEN)}, 404, {"status": "404"}),
    (
        "copilot",
        "/orgs/orbit/copilot/metrics/reports/users-1-day?day=today",
        {"headers": _bearer(COPILOT_TOKEN)},
        422,
        {"status": "422"},
    ),
    (
        "litellm",
        "/spend/logs/v2?start_date=2026-03-17T00:00:00Z&end_date=2026-03-18T00:00:00Z",
        {"headers": _bearer(LITELLM_KEY)},
        400,
        {},
    ),
    (
        "litellm",
        "/spend/logs/v2?start_date=2026-03-17 00:00:00&end_date=2026-03-18 00:00:00&page_size=101",
        {"headers": _bearer(LITELLM_KEY)},
        422,
        {},
    ),
    ("windsurf", "/CascadeAnalytics", {"json": {"service_key": "x"}}, 401, {"code": "unauthenticated"}),
    (
        "windsurf",
        "/CascadeAnalytics",
        {"json": {"service_key": WINDSURF_KEY, "emails": [], "group_name": "platform"}},
        400,
        {"code": "invalid_argument"},
    ),
]


@pytest.mark.parametrize(("service", "path", "request_", "status", "said"), REFUSED)
def test_a_wrong_request_gets_the_vendors_own_error(
    sandbox: Sandbox,
    http: httpx.Client,
    service: str,
    path: str,
    request_: dict[str, Any],
    status: int,
    said: dict[str, Any],
) -> None:
    method = "POST" if "json" in request_ else "GET"
    answer = http.request(method, f"{sandbox.service_url(service)}{path}", **request_)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert {name: body[name] for name in said} == said


def test_another_instance_than_the_tokens_is_not_there(sandbox: Sandbox, http: httpx.Client) -> None:
    url = f"{sandbox.service_url('sourcegraph')}/api/reports/by-user-client-date"
    query = {"instanceURL": SOURCEGRAPH_INSTANCE, "startDate": "2026-03-15", "endDate": "2026-03-15"}
    empty = http.get(url, params=query, headers=_bearer(SOURCEGRAPH_TOKEN))
    assert (empty.status_code, empty.text.count("\n")) == (200, 1)
    query["instanceURL"] = "https://other.example.com"
    assert http.get(url, params=query, headers=_bearer(SOURCEGRAPH_TOKEN)).status_code == 404


def test_the_documented_limits_can_be_kept(sandbox: Sandbox, http: httpx.Client) -> None:
    url = f"{sandbox.service_url('cursor')}/teams/members"
    statuses = [http.get(url, auth=(CURSOR_KEY, "")).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]
    assert 0 < int(http.get(url, auth=(CURSOR_KEY, "")).headers["retry-after"]) <= 60


def test_a_signed_link_lives_ten_minutes_and_takes_no_credentials(sandbox: Sandbox, http: httpx.Client) -> None:
    url = f"{sandbox.service_url('copilot')}/orgs/orbit/copilot/metrics/reports/users-1-day"
    answer = http.get(url, params={"day": "2026-03-17"}, headers=_bearer(COPILOT_TOKEN))
    first, second = answer.json()["download_links"]
    assert http.get(first).text.count("\n") > 0
    assert http.get(first, headers=_bearer(COPILOT_TOKEN)).status_code == 400
    assert http.get(first.split("?")[0]).status_code == 403
    sandbox.clock.advance(seconds=601)
    assert http.get(second).status_code == 403
    assert all("sig=***" in one.query for one in sandbox.log.requests("/copilot/files/*") if one.query)


def test_without_page_numbers_cursor_lists_the_active_members_alone(sandbox: Sandbox, http: httpx.Client) -> None:
    url = f"{sandbox.service_url('cursor')}/teams/daily-usage-data"
    active, everybody = (
        http.post(url, json={**DAY, **page}, auth=(CURSOR_KEY, "")).json()["data"] for page in ({}, {"page": 1})
    )
    assert {row["isActive"] for row in active} == {True}
    assert len(everybody) >= len(active) > 0


def test_a_capped_total_stops_counting_and_the_pages_go_on(http: httpx.Client) -> None:
    settings = SandboxSettings(clock=Clock(NOW), ai_tools=AiToolsSettings(logs_cap=10))
    with serve(settings) as sandbox:
        url = f"{sandbox.service_url('litellm')}/spend/logs/v2"
        query = {"start_date": "2026-03-17 00:00:00", "end_date": "2026-03-18 00:00:00", "page_size": 10, "page": 2}
        answer = http.get(url, params=query, headers=_bearer(LITELLM_KEY)).json()
    assert (answer["total"], answer["total_is_capped"], answer["total_pages"]) == (10, True, 1)
    assert len(answer["data"]) == 10


def test_the_same_seed_and_time_give_the_same_company_and_another_seed_another(http: httpx.Client) -> None:
    def usage(seed: int) -> Any:
        with serve(SandboxSettings(seed=seed, clock=Clock(NOW))) as sandbox:
            url = f"{sandbox.service_url('anthropic')}/v1/organizations/usage_report/claude_code"
            return http.get(url, params={"starting_at": "2026-03-17", "limit": 1000}, headers=ADMIN).json()

    assert usage(7) == usage(7) != usage(8)


def test_today_grows_with_the_clock_and_weekends_are_quiet(sandbox: Sandbox, http: httpx.Client) -> None:
    def events(start: int, days: int = 1) -> int:
        body = {"startDate": start * 1000, "endDate": (start + days * 86_400) * 1000 - 1, "page": 1, "pageSize": 1000}
        url = f"{sandbox.service_url('cursor')}/teams/filtered-usage-events"
        count: int = http.post(url, json=body, auth=(CURSOR_KEY, "")).json()["totalUsageEventsCount"]
        return count

    today = START + 3 * 86_400
    before = events(today)
    sandbox.clock.advance(hours=6)
    assert 0 < before < events(today)
    saturday, sunday = START - 3 * 86_400, START - 2 * 86_400
    assert events(sunday) == 0
    assert events(saturday) < events(START) / 2
