from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

import httpx

from penstock.artifacts import Interval
from penstock.connections import (
    AnthropicConnection,
    CopilotConnection,
    CursorConnection,
    LiteLLMConnection,
    OpenAIConnection,
    SourcegraphConnection,
    WindsurfConnection,
)
from sandbox.ai_tools.settings import (
    ANTHROPIC_KEY,
    COPILOT_ENTERPRISE,
    COPILOT_ORGANIZATIONS,
    COPILOT_TOKEN,
    CURSOR_KEY,
    LITELLM_KEY,
    OPENAI_KEY,
    SOURCEGRAPH_INSTANCE,
    SOURCEGRAPH_TOKEN,
    WINDSURF_KEY,
)
from tests.contract.source_cases.case import Case, Place, Row

_DAY = timedelta(days=1)


def _anthropic(place: Place, secret: str | None) -> AnthropicConnection:
    url = place.sandbox.service_url("anthropic")
    return AnthropicConnection(kind="anthropic", api_key=secret or ANTHROPIC_KEY, base_url=url)


def _openai(place: Place, secret: str | None) -> OpenAIConnection:
    return OpenAIConnection(kind="openai", api_key=secret or OPENAI_KEY, base_url=place.sandbox.service_url("openai"))


def _cursor(place: Place, secret: str | None) -> CursorConnection:
    return CursorConnection(kind="cursor", api_key=secret or CURSOR_KEY, base_url=place.sandbox.service_url("cursor"))


def _copilot(place: Place, secret: str | None) -> CopilotConnection:
    return CopilotConnection(
        kind="copilot",
        token=secret or COPILOT_TOKEN,
        organizations=COPILOT_ORGANIZATIONS,
        enterprise=COPILOT_ENTERPRISE,
        base_url=place.sandbox.service_url("copilot"),
    )


def _litellm(place: Place, secret: str | None) -> LiteLLMConnection:
    url = place.sandbox.service_url("litellm")
    return LiteLLMConnection(kind="litellm", api_key=secret or LITELLM_KEY, base_url=url)


def _windsurf(place: Place, secret: str | None) -> WindsurfConnection:
    url = place.sandbox.service_url("windsurf")
    return WindsurfConnection(kind="windsurf", service_key=secret or WINDSURF_KEY, base_url=url)


def _sourcegraph(place: Place, secret: str | None) -> SourcegraphConnection:
    return SourcegraphConnection(
        kind="sourcegraph",
        token=secret or SOURCEGRAPH_TOKEN,
        instance_url=SOURCEGRAPH_INSTANCE,
        base_url=place.sandbox.service_url("sourcegraph"),
    )


def _get(place: Place, service: str, path: str, **request: Any) -> Any:
    method = "POST" if "json" in request else "GET"
    return _client().request(method, f"{place.sandbox.service_url(service)}{path}", **request).raise_for_status()


@cache
def _client() -> httpx.Client:
    """One for all: a client of its own for each request would read the machine's certificates each time."""
    return httpx.Client(timeout=60)


def _days(interval: Interval) -> Iterator[datetime]:
    start, end = interval.bounds()
    while start < end:
        yield start
        start += _DAY


def _span(start: datetime, length: timedelta = _DAY) -> Row:
    return {f"bucket_{name}": f"{at:%Y-%m-%dT%H:%M:%SZ}" for name, at in (("start", start), ("end", start + length))}


_ADMIN = {"x-api-key": ANTHROPIC_KEY, "anthropic-version": "2023-06-01"}


def _anthropic_usage(place: Place, interval: Interval) -> list[Row]:
    found = []
    for day in _days(interval):
        query = {
            "starting_at": f"{day:%Y-%m-%dT%H:%M:%SZ}",
            "bucket_width": "1h",
            "group_by[]": ["model", "api_key_id"],
        }
        path = "/v1/organizations/usage_report/messages"
        for bucket in _get(place, "anthropic", path, params={**query, "limit": 24}, headers=_ADMIN).json()["data"]:
            span = _span(datetime.fromisoformat(bucket["starting_at"]), timedelta(hours=1))
            found += [{**row, **span} for row in bucket["results"]]
    return found


def _claude_code(place: Place, interval: Interval) -> list[Row]:
    path = "/v1/organizations/usage_report/claude_code"
    asked = {day: {"starting_at": f"{day:%Y-%m-%d}", "limit": 1000} for day in _days(interval)}
    return [
        {**row, **_span(day)}
        for day, query in asked.items()
        for row in _get(place, "anthropic", path, params=query, headers=_ADMIN).json()["data"]
    ]


def _anthropic_users(place: Place, _interval: Interval) -> list[Row]:
    path = "/v1/organizations/users"
    return _get(place, "anthropic", path, params={"limit": 1000}, headers=_ADMIN).json()["data"]  # type: ignore[no-any-return]


def _openai_buckets(place: Place, interval: Interval, path: str, **query: Any) -> list[Row]:
    found = []
    for day in _days(interval):
        start = int(day.timestamp())
        asked = {"start_time": start, "end_time": start + 86_400, **query}
        headers = {"Authorization": f"Bearer {OPENAI_KEY}"}
        [bucket] = _get(place, "openai", f"/organization{path}", params=asked, headers=headers).json()["data"]
        found += [{**row, **_span(day)} for row in bucket["results"]]
    return found


def _openai_usage(place: Place, interval: Interval) -> list[Row]:
    groups = ["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"]
    return _openai_buckets(place, interval, "/usage/completions", group_by=groups)


def _openai_costs(place: Place, interval: Interval) -> list[Row]:
    return _openai_buckets(place, interval, "/costs", group_by=["project_id", "line_item"])


def _cursor_rows(place: Place, interval: Interval, path: str, records: str) -> list[Row]:
    found = []
    for day in _days(interval):
        start = int(day.timestamp()) * 1000
        body = {"startDate": start, "endDate": start + 86_400_000 - 1, "page": 1, "pageSize": 1000}
        answer = _get(place, "cursor", path, json=body, auth=(CURSOR_KEY, "")).json()
        found += [{**row, **_span(day)} for row in answer[records]]
    return found


def _copilot_rows(place: Place, interval: Interval) -> list[Row]:
    found = []
    headers = {"Authorization": f"Bearer {COPILOT_TOKEN}"}
    for day in _days(interval):
        for owner in COPILOT_ORGANIZATIONS:
            path = f"/orgs/{owner}/copilot/metrics/reports/users-1-day"
            answer = _get(place, "copilot", path, params={"day": f"{day:%Y-%m-%d}"}, headers=headers)
            links = answer.json()["download_links"] if answer.status_code == 200 else []
            lines = [line for link in links for line in _client().get(link).raise_for_status().text.splitlines()]
            found += [{**json.loads(line), **_span(day), "organization": owner} for line in lines]
    return found


def _litellm_logs(place: Place, interval: Interval) -> list[Row]:
    found, page = [], 1
    start, end = interval.bounds()
    while True:
        query = {"start_date": f"{start:%Y-%m-%d %H:%M:%S}", "end_date": f"{end:%Y-%m-%d %H:%M:%S}", "page": page}
        headers = {"Authorization": f"Bearer {LITELLM_KEY}"}
        data = _get(place, "litellm", "/spend/logs/v2", params={**query, "page_size": 100}, headers=headers).json()[
            "data"
        ]
        found += [{**row, **_span(_midnight(row["startTime"]))} for row in data]
        page += 1
        if not data:
            return found


def _windsurf_runs(place: Place, interval: Interval) -> list[Row]:
    start, end = interval.bounds()
    people = _get(place, "windsurf", "/UserPageAnalytics", json={"service_key": WINDSURF_KEY}).json()["userTableStats"]
    found = []
    for person in people:
        body = {
            "service_key": WINDSURF_KEY,
            "start_timestamp": start.isoformat(),
            "end_timestamp": end.isoformat(),
            "emails": [person["email"]],
            "query_requests": [{"cascade_runs": {}}],
        }
        [result] = _get(place, "windsurf", "/CascadeAnalytics", json=body).json()["queryResults"]
        rows = result.get("cascadeRuns", {}).get("cascadeRuns", [])
        found += [{**row, "email": person["email"], **_span(_midnight(row["day"]))} for row in rows]
    return found


def _sourcegraph_rows(place: Place, interval: Interval) -> list[Row]:
    start, end = interval.bounds()
    query = {
        "instanceURL": SOURCEGRAPH_INSTANCE,
        "startDate": f"{start:%Y-%m-%d}",
        "endDate": f"{end - _DAY:%Y-%m-%d}",
    }
    headers = {"Authorization": f"Bearer {SOURCEGRAPH_TOKEN}"}
    answer = _get(place, "sourcegraph", "/api/reports/by-user-client-date", params=query, headers=headers)
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def _midnight(time: str) -> datetime:
    return datetime.fromisoformat(time).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


_case = partial(Case, fixed_token=True)
_anthropic_case = partial(_case, kind="anthropic", connect=_anthropic, secrets=(ANTHROPIC_KEY,))
_openai_case = partial(_case, kind="openai", connect=_openai, secrets=(OPENAI_KEY,))
_cursor_case = partial(
    _case, kind="cursor", connect=_cursor, secrets=(CURSOR_KEY, base64.b64encode(f"{CURSOR_KEY}:".encode()).decode())
)
_litellm_case = partial(_case, kind="litellm", connect=_litellm, secrets=(LITELLM_KEY,))

CASES = {
    "anthropic-usage": _anthropic_case(
        dataset={"report": "usage", "bucket_width": "1h", "page_size": 8, "group_by": ["model", "api_key_id"]},
        truth=_anthropic_usage,
        path="/anthropic/*/messages",
        column="service_tier",
        has_pages=True,
    ),
    "anthropic-claude-code": _anthropic_case(
        dataset={"report": "claude_code"},
        truth=_claude_code,
        path="/anthropic/*/claude_code",
        column="customer_type",
    ),
    "anthropic-users": _anthropic_case(
        dataset={"report": "users", "page_size": 3},
        truth=_anthropic_users,
        path="/anthropic/*/users",
        column="role",
        honours_window=False,
        has_pages=True,
    ),
    "openai-completions": _openai_case(
        dataset={"report": "completions"},
        truth=_openai_usage,
        path="/openai/*/completions",
        column="num_model_requests",
        one_request=True,
    ),
    "openai-costs": _openai_case(
        dataset={"report": "costs", "page_size": 1},
        truth=_openai_costs,
        path="/openai/*/costs",
        column="line_item",
    ),
    "cursor-daily": _cursor_case(
        dataset={"report": "daily_usage", "page_size": 5},
        truth=partial(_cursor_rows, path="/teams/daily-usage-data", records="data"),
        path="/cursor/teams/daily-usage-data",
        column="clientVersion",
    ),
    "cursor-events": _cursor_case(
        dataset={"report": "usage_events", "page_size": 20},
        truth=partial(_cursor_rows, path="/teams/filtered-usage-events", records="usageEvents"),
        path="/cursor/teams/filtered-usage-events",
        column="model",
    ),
    "copilot-reports": _case(
        kind="copilot",
        connect=_copilot,
        secrets=(COPILOT_TOKEN, "sig="),
        dataset={"report": "users"},
        truth=_copilot_rows,
        path="/copilot/orgs/*",
    ),
    "copilot-files": Case(
        kind="copilot",
        connect=_copilot,
        secrets=(COPILOT_TOKEN, "sig="),
        dataset={"report": "users"},
        truth=_copilot_rows,
        path="/copilot/files/*",
        column="user_login",
    ),
    "litellm-logs": _litellm_case(
        dataset={"report": "spend_logs", "page_size": 20},
        truth=_litellm_logs,
        path="/litellm/spend/logs/v2",
        column="model_group",
    ),
    "windsurf": _case(
        kind="windsurf",
        connect=_windsurf,
        secrets=(WINDSURF_KEY,),
        dataset={"report": "cascade_runs"},
        truth=_windsurf_runs,
        path="/windsurf/*/CascadeAnalytics",
        column="mode",
    ),
    "sourcegraph": _case(
        kind="sourcegraph",
        connect=_sourcegraph,
        secrets=(SOURCEGRAPH_TOKEN,),
        dataset={},
        truth=_sourcegraph_rows,
        path="/sourcegraph/api/reports/*",
        column="Client",
        one_request=True,
    ),
}
