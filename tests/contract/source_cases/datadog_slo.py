from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import httpx

from penstock.artifacts import Interval
from penstock.connections import DatadogSloConnection
from sandbox.datadog_slo.settings import DATADOG_API_KEY, DATADOG_APPLICATION_KEY, DatadogSloSettings
from tests.contract.source_cases.case import Case, Place, Row

SETTINGS = {"datadog_slo": DatadogSloSettings(requests_per_period=1_000_000)}


def _connect(place: Place, secret: str | None) -> DatadogSloConnection:
    base_url = place.sandbox.service_url("datadog_slo")
    keys = {"api_key": DATADOG_API_KEY, "application_key": secret or DATADOG_APPLICATION_KEY}
    return DatadogSloConnection.model_validate({"kind": "datadog_slo", **keys, "base_url": base_url})


def _client(place: Place) -> httpx.Client:
    headers = {"DD-API-KEY": DATADOG_API_KEY, "DD-APPLICATION-KEY": DATADOG_APPLICATION_KEY}
    return httpx.Client(base_url=place.sandbox.service_url("datadog_slo"), headers=headers)


def _data(client: httpx.Client, path: str, **parameters: Any) -> Any:
    return client.get(path, params=parameters).raise_for_status().json()["data"]


def _slos(place: Place, _interval: Interval) -> list[Row]:
    with _client(place) as client:
        return _data(client, "/api/v1/slo")  # type: ignore[no-any-return]


def _days(interval: Interval) -> list[tuple[int, int]]:
    start, end = interval.bounds()
    days = (end - start) // timedelta(days=1)
    return list(pairwise(int((start + timedelta(days=day)).timestamp()) for day in range(days + 1)))


def _between(client: httpx.Client, path: str, first: int, last: int) -> Row:
    start, end = (f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}" for moment in (first, last))
    return {"bucket_start": start, "bucket_end": end, **_data(client, path, from_ts=first, to_ts=last)}


def _history(place: Place, interval: Interval) -> list[Row]:
    with _client(place) as client:
        ids = [slo["id"] for slo in _data(client, "/api/v1/slo")]
        return [
            {"slo_id": slo, **_between(client, f"/api/v1/slo/{slo}/history", first, last)}
            for first, last in _days(interval)
            for slo in ids
        ]


def _status(place: Place, interval: Interval) -> list[Row]:
    with _client(place) as client:
        ids = [slo["id"] for slo in _data(client, "/api/v1/slo")]
        return [
            {"slo_id": slo, **_between(client, f"/api/v2/slo/{slo}/status", first, last)}
            for first, last in _days(interval)
            for slo in ids
        ]


_case = partial(
    Case,
    kind="datadog_slo",
    connect=_connect,
    secrets=(DATADOG_API_KEY, DATADOG_APPLICATION_KEY),
    fixed_token=True,
)

CASES = {
    "datadog_slo-slos": _case(
        dataset={"report": "slos"},
        path="/datadog_slo/api/v1/slo",
        truth=_slos,
        column="tags",
        honours_window=False,
        one_request=True,
    ),
    "datadog_slo-history": _case(
        # One at a time, so that the same window gives the same order.
        dataset={"report": "history", "concurrency": 1},
        path="/datadog_slo/api/v1/slo/*/history",
        truth=_history,
        column="thresholds",
    ),
    "datadog_slo-status": _case(
        dataset={"report": "status", "concurrency": 1},
        path="/datadog_slo/api/v2/slo/*/status",
        truth=_status,
        column="attributes",
    ),
}
