from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any

import httpx

from penstock.artifacts import Interval
from penstock.connections import IncidentIoConnection
from sandbox.incident_io.settings import MOBILE_KEY, PAYMENTS_KEY, PLATFORM_KEY, IncidentIoSettings
from tests.contract.source_cases.case import Case, Place, Row

SETTINGS = {
    "incident_io": IncidentIoSettings(opened_on=date(2026, 2, 20), fewer_per_page=5, requests_per_minute=1_000_000)
}


def _connect(place: Place, secret: str | None) -> IncidentIoConnection:
    base_url = place.sandbox.service_url("incident_io")
    return IncidentIoConnection.model_validate(
        {"kind": "incident_io", "api_key": secret or PLATFORM_KEY, "base_url": base_url}
    )


def _all(place: Place, path: str, **parameters: Any) -> list[Row]:
    rows: list[Row] = []
    after: dict[str, str] = {}
    headers = {"Authorization": f"Bearer {PLATFORM_KEY}"}
    with httpx.Client(base_url=place.sandbox.service_url("incident_io"), headers=headers) as client:
        while True:
            body = client.get(path, params={**parameters, **after}).raise_for_status().json()
            rows += body[path.rpartition("/")[2]]
            if "after" not in body.get("pagination_meta", {}):
                return rows
            after = {"after": body["pagination_meta"]["after"]}


def _incidents(place: Place, interval: Interval) -> list[Row]:
    """All there are, by the time in the records themselves: no filter of the API's is trusted."""
    start, end = interval.bounds()
    rows = _all(place, "/v2/incidents", sort_by="created_at_oldest_first")
    return [row for row in rows if start <= datetime.fromisoformat(row["updated_at"]) < end]


def _entries(place: Place, _interval: Interval) -> list[Row]:
    types = [row["id"] for row in _all(place, "/v3/catalog_types")]
    return [row for one in types for row in _all(place, "/v3/catalog_entries", catalog_type_id=one, page_size=250)]


_case = partial(
    Case,
    kind="incident_io",
    connect=_connect,
    secrets=(PLATFORM_KEY, PAYMENTS_KEY, MOBILE_KEY),
    fixed_token=True,
)

CASES = {
    "incident_io-incidents": _case(
        dataset={"resource": "incidents"},
        path="/incident_io/v2/incidents",
        truth=_incidents,
        column="summary",
        has_pages=True,
    ),
    "incident_io-entries": _case(
        dataset={"resource": "catalog_entries"},
        path="/incident_io/v3/catalog_entries",
        truth=_entries,
        column="rank",
        honours_window=False,
    ),
}
