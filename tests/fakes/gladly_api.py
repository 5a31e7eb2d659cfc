"""Asks the emulated Gladly directly, as its documentation shows it."""

from __future__ import annotations

import csv
import io

import httpx

from sandbox.gladly.settings import GLADLY_EMAIL, GLADLY_ORG, GLADLY_TOKEN, GladlySettings
from sandbox.server import Sandbox

NOW = "2026-03-20T12:00:00Z"
NEW_YORK = "America/New_York"
SMALL = GladlySettings(conversations_per_day=60)

Row = dict[str, str]


def connect(sandbox: Sandbox, organization: str = GLADLY_ORG, email: str = GLADLY_EMAIL) -> httpx.Client:
    return httpx.Client(base_url=f"{sandbox.url}/gladly/{organization}/api/v1", auth=(email, GLADLY_TOKEN), timeout=30)


def ask(client: httpx.Client, metric_set: str, start: str, end: str = "", **more: object) -> httpx.Response:
    body = {"metricSet": metric_set, "startAt": start, "endAt": end or start, "timezone": "UTC", **more}
    return client.post("/reports", json=body)


def rows(response: httpx.Response) -> list[Row]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(response.text, newline=""), strict=True))


def report(client: httpx.Client, metric_set: str, start: str, end: str = "", **more: object) -> list[Row]:
    return rows(ask(client, metric_set, start, end, **more))
