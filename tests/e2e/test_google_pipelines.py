"""The example pipelines of mail and sheets, from their files into the warehouse: twice the same, joined, versioned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import Clock
from sandbox.gladly.settings import GladlySettings
from sandbox.google.settings import GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, GOOGLE_REFRESH_TOKEN
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

EXAMPLES = Path(__file__).parents[2] / "deployments" / "clients" / "warbyparker"
# A Monday: the newest window has Sunday's mail, whose survey is Saturday's.
MONDAY = "2026-03-23T12:00:00+00:00"
SURVEYS = "acme_bronze.gmail__csat_responses"
ROSTER = "acme_bronze.google_sheets__agent_roster"


@pytest.fixture(scope="module")
def google() -> Iterator[Sandbox]:
    settings = SandboxSettings(clock=Clock(MONDAY), gladly=GladlySettings(conversations_per_day=60))
    with serve(settings) as sandbox:
        yield sandbox


@pytest.fixture
def examples(project: Any, google: Sandbox) -> Any:
    google.clock.set(MONDAY)
    auth = (
        f"client_id: {GOOGLE_CLIENT_ID}, client_secret: {GOOGLE_CLIENT_SECRET}, refresh_token: {GOOGLE_REFRESH_TOKEN}"
    )
    project.write_platform(
        f"""\
        warbyparker-google:
          kind: google
          auth: {{kind: refresh_token, {auth}}}
          base_url: "{google.url}/google"
          token_url: "{google.url}/google/token"
        """
    )
    folder = project.root / "deployments" / "clients" / "acme"
    folder.mkdir(parents=True)
    for name in ("_defaults", "warbyparker-gmail-daily", "warbyparker-sheets-daily"):
        text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
        (folder / f"{name}.yaml").write_text(text.replace("client: warbyparker", "client: acme"))
    return project


def test_mail_and_sheets_land_once_and_join(examples: Any) -> None:
    window = {"kind": "interval", "start": "2026-03-16T04:00:00Z", "end": "2026-03-23T04:00:00Z"}
    counts = []
    for reload in (False, True):
        options = {"at": datetime.fromisoformat(MONDAY), "reload": reload}
        report = examples.run("warbyparker-gmail-daily", window=window, options=options)
        assert report.is_green, report.summary()
        counts.append(examples.query(f"select count(*), count(distinct response_id) from {SURVEYS}")[0])
    assert counts[0] == counts[1]
    assert counts[0][1] > 50
    kinds = examples.query(f"select distinct regexp_extract(_source_file, '[a-z]+(.gz)?(#|$)') from {SURVEYS}")
    assert {kind for (kind,) in kinds} == {"csv", "csv.gz", "zip#"}
    assert examples.query("select count(*) from acme_bronze.gmail__workforce_plan") == [(15,)]

    sheets = examples.run("warbyparker-sheets-daily", options={"at": datetime.fromisoformat(MONDAY)})
    assert sheets.is_green, sheets.summary()
    unknown = examples.query(
        f"select count(*) from {SURVEYS} where agent_email is not null"
        f" and agent_email not in (select lower(trim(e_mail)) from {ROSTER})"
    )
    assert unknown == [(0,)]


def test_the_roster_keeps_who_was_in_which_team(examples: Any, google: Sandbox) -> None:
    for moment in (MONDAY, "2026-04-20T12:00:00+00:00"):
        google.clock.set(moment)
        report = examples.run("warbyparker-sheets-daily", options={"at": datetime.fromisoformat(moment)})
        assert report.is_green, report.summary()
    versions = examples.query(f"select count(*), count(distinct e_mail), sum(_is_current::int) from {ROSTER}")
    rows, people, current = versions[0]
    assert people == current == 28
    assert rows > people
    (moved,) = examples.query(
        f"select count(*) from (select e_mail from {ROSTER} group by all having count(distinct team) > 1)"
    )
    assert moved[0] >= 4
