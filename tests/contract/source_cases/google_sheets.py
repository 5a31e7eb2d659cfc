from __future__ import annotations

import httpx

from penstock.artifacts import Interval
from penstock.connections import GoogleConnection
from sandbox.google.settings import GOOGLE_CLIENT_SECRET, GOOGLE_REFRESH_TOKEN, ROSTER_SPREADSHEET
from tests.contract.source_cases.case import Case, Place, Row
from tests.fakes.google_api import ask, refresh_token_connection, sign_in


def _connect(place: Place, secret: str | None) -> GoogleConnection:
    return refresh_token_connection(place.sandbox.url, refresh_token=secret or GOOGLE_REFRESH_TOKEN)


def _agents(place: Place, _interval: Interval) -> list[Row]:
    with httpx.Client(headers=sign_in(place.sandbox.url), timeout=30) as client:
        url = f"{place.sandbox.url}/google/v4/spreadsheets/{ROSTER_SPREADSHEET}/values/Agents"
        header, *rows = ask(client, url, valueRenderOption="UNFORMATTED_VALUE")["values"]
    texts = [["true" if cell is True else "false" if cell is False else str(cell) for cell in row] for row in rows]
    return [dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=True)) for row in texts]


CASES = {
    "google_sheets": Case(
        kind="google_sheets",
        dataset={"spreadsheet": ROSTER_SPREADSHEET, "sheets": ["Agents"]},
        connect=_connect,
        truth=_agents,
        secrets=(GOOGLE_CLIENT_SECRET, GOOGLE_REFRESH_TOKEN, "ya29."),
        path="/google/v4/*",
        token_path="/google/token",
        column="Notes",
        honours_window=False,
    )
}
