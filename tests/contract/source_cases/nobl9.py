from __future__ import annotations

from typing import Any

import httpx

from penstock.artifacts import Interval
from penstock.connections import Nobl9Connection
from sandbox.nobl9.settings import NOBL9_CLIENT_ID, NOBL9_CLIENT_SECRET, NOBL9_ORGANIZATION, Nobl9Settings
from tests.contract.source_cases.case import Case, Place, Row

SETTINGS = {"nobl9": Nobl9Settings(requests_per_second=1_000_000, seconds_between_tokens=0, fewer_per_page=12)}


def _connect(place: Place, secret: str | None) -> Nobl9Connection:
    settings = {"kind": "nobl9", "organization": NOBL9_ORGANIZATION, "client_id": NOBL9_CLIENT_ID}
    base_url = place.sandbox.service_url("nobl9")
    return Nobl9Connection.model_validate(
        {**settings, "client_secret": secret or NOBL9_CLIENT_SECRET, "base_url": base_url}
    )


def _slos(place: Place, _interval: Interval) -> list[Row]:
    base_url, organization = place.sandbox.service_url("nobl9"), {"Organization": NOBL9_ORGANIZATION}
    token = httpx.post(
        f"{base_url}/accessToken",
        auth=(NOBL9_CLIENT_ID, NOBL9_CLIENT_SECRET),
        headers={**organization, "Accept": "application/json; version=v1alpha"},
    ).raise_for_status()
    headers = {**organization, "Authorization": f"Bearer {token.json()['access_token']}"}
    rows: list[Any] = []
    address = f"{base_url}/v2/slos"
    while address:
        body = httpx.get(address, headers=headers).raise_for_status().json()
        rows += body["data"]
        address = body["links"]["next"]
    return rows


CASES = {
    "nobl9": Case(
        kind="nobl9",
        dataset={"report": "slos"},
        connect=_connect,
        truth=_slos,
        secrets=(NOBL9_CLIENT_SECRET,),
        path="/nobl9/api/v2/slos",
        column="description",
        honours_window=False,
        token_path="/nobl9/api/accessToken",
    )
}
