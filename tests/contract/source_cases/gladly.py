from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx

from penstock.artifacts import Interval
from penstock.connections import GladlyConnection
from sandbox.gladly.settings import GLADLY_EMAIL, GLADLY_ORG, GLADLY_TOKEN, GladlySettings
from tests.contract.source_cases.case import Case, Place, Row

SETTINGS = {"gladly": GladlySettings(conversations_per_day=30)}


def _connect(place: Place, secret: str | None) -> GladlyConnection:
    settings = {"kind": "gladly", "organization": GLADLY_ORG, "email": GLADLY_EMAIL}
    base_url = place.sandbox.service_url("gladly")
    return GladlyConnection.model_validate({**settings, "token": secret or GLADLY_TOKEN, "base_url": base_url})


def _ask(place: Place, path: str, **request: Any) -> httpx.Response:
    method = "POST" if "json" in request else "GET"
    url = f"{place.sandbox.service_url('gladly')}{path}"
    return httpx.request(method, url, auth=(GLADLY_EMAIL, GLADLY_TOKEN), **request).raise_for_status()


def _report_rows(place: Place, interval: Interval) -> list[Row]:
    start, end = interval.bounds()
    days = {"startAt": f"{start:%Y-%m-%d}", "endAt": f"{end - timedelta(days=1):%Y-%m-%d}", "timezone": "UTC"}
    answer = _ask(place, "/reports", json={"metricSet": "ContactTimestampsReport", **days})
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def _export_rows(place: Place, interval: Interval) -> list[Row]:
    start, end = interval.bounds()
    jobs = [
        job
        for job in _ask(place, "/export/jobs").json()
        if job["status"] == "COMPLETED" and start <= datetime.fromisoformat(job["updatedAt"]) < end
    ]
    paths = [f"/export/jobs/{job['id']}/files/customers.jsonl" for job in jobs]
    return [json.loads(line) for path in paths for line in _ask(place, path).text.splitlines()]


def _agents(place: Place, _interval: Interval) -> list[Row]:
    return _ask(place, "/agents").json()  # type: ignore[no-any-return]


_case = partial(Case, kind="gladly", connect=_connect, secrets=(GLADLY_TOKEN,), fixed_token=True)

CASES = {
    "gladly-report": _case(
        dataset={"report": "ContactTimestampsReport"},
        path="/gladly/*/reports",
        truth=_report_rows,
        has_late_rows=True,
        column="Event Type",
        one_request=True,
    ),
    "gladly-export": _case(dataset={"export": "customers"}, path="/gladly/*/export/*", truth=_export_rows),
    "gladly-collection": _case(
        dataset={"collection": "agents"},
        path="/gladly/*/agents",
        truth=_agents,
        honours_window=False,
        one_request=True,
    ),
}
