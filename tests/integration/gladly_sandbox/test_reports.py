"""The emulated Gladly's reports: who may ask, what a day is, what restates, and what is refused."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from sandbox.clock import Clock
from sandbox.gladly.reports.catalog import METRIC_SETS
from sandbox.gladly.settings import (
    GLADLY_EMAIL,
    GLADLY_EMAIL_WITHOUT_API,
    GLADLY_EU_ORG,
    GLADLY_ORG,
    GLADLY_TOKEN,
)
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tests.fakes.gladly_api import NEW_YORK, NOW, SMALL, ask, connect, report, rows


@pytest.mark.parametrize(
    ("email", "token", "organization", "status", "code"),
    [
        (GLADLY_EMAIL, "wrong", GLADLY_ORG, 401, "invalid"),
        ("nobody@example.com", GLADLY_TOKEN, GLADLY_ORG, 401, "invalid"),
        (GLADLY_EMAIL_WITHOUT_API, GLADLY_TOKEN, GLADLY_ORG, 403, "invalid"),
        (GLADLY_EMAIL, GLADLY_TOKEN, "elsewhere", 404, "not_exist"),
    ],
)
def test_wrong_credentials_rights_and_hosts_are_told_apart(
    sandbox: Sandbox, client: httpx.Client, email: str, token: str, organization: str, status: int, code: str
):
    response = client.get(f"{sandbox.url}/gladly/{organization}/api/v1/agents", auth=(email, token))
    assert response.status_code == status
    assert [error["code"] for error in response.json()["errors"]] == [code]
    assert client.get("/agents", auth=None).status_code == 401


def test_the_log_tells_what_was_asked_and_never_the_credentials(sandbox: Sandbox, client: httpx.Client):
    ask(client, "ContactTimestampsReport", "2026-03-18", "2026-03-19")
    client.get("/agents")
    first, second = sandbox.log.requests(service="gladly")
    assert (first.method, first.status, first.path) == ("POST", 200, f"/gladly/{GLADLY_ORG}/api/v1/reports")
    assert first.detail == "ContactTimestampsReport 2026-03-18..2026-03-19"
    assert second.at >= first.at
    assert GLADLY_TOKEN not in repr(sandbox.log.requests())


@pytest.mark.parametrize("metric_set", [metric_set.name for metric_set in METRIC_SETS])
def test_every_report_has_its_columns_whole_rows_and_a_file_name(client: httpx.Client, metric_set: str):
    response = ask(client, metric_set, "2026-03-18")
    expected = next(known.columns for known in METRIC_SETS if known.name == metric_set)
    table = list(csv.reader(io.StringIO(response.text, newline=""), strict=True))
    assert tuple(table[0]) == expected
    assert len(table) > 10
    assert {len(row) for row in table} == {len(expected)}
    name = f"{metric_set}-2026-03-18-2026-03-18-Daily.csv"
    assert response.headers["content-disposition"] == f"attachment; filename={name}"


@pytest.mark.parametrize(
    "metric_set", [metric_set.name for metric_set in METRIC_SETS if not metric_set.rules.takes_level]
)
@pytest.mark.parametrize("zone", ["UTC", NEW_YORK])
def test_days_are_inclusive_and_adjacent_days_neither_overlap_nor_miss_rows(
    client: httpx.Client, metric_set: str, zone: str
):
    # America/New_York changes to daylight-saving time on 8 March 2026.
    days = ["2026-03-07", "2026-03-08", "2026-03-09"]
    whole = report(client, metric_set, days[0], days[-1], timezone=zone)
    assert [row for day in days for row in report(client, metric_set, day, timezone=zone)] == whole
    assert len(whole) > 30


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2026-03-08", "2026-03-08T05:00:00", "2026-03-09T04:00:00"),
        ("2025-11-02", "2025-11-02T04:00:00", "2025-11-03T05:00:00"),
    ],
)
def test_a_local_day_is_cut_at_its_own_midnights_when_clocks_change(
    client: httpx.Client, day: str, first: str, last: str
):
    local = report(client, "ContactTimestampsReport", day, timezone=NEW_YORK)
    in_utc = report(client, "ContactTimestampsReport", day, last[:10])
    assert [row for row in in_utc if first <= row["Timestamp"] < last] == local
    assert local[0]["Timestamp"][:10] == day
    assert local[-1]["Timestamp"] > last[:10]


def test_the_organisations_own_time_zone_counts_where_none_is_asked_for(sandbox: Sandbox, client: httpx.Client):
    body = {"metricSet": "ContactTimestampsReport", "startAt": "2026-03-18", "endAt": "2026-03-18"}
    american = rows(client.post("/reports", json=body))
    assert american == report(client, "ContactTimestampsReport", "2026-03-18", timezone=NEW_YORK)
    with connect(sandbox, GLADLY_EU_ORG) as european:
        times = [row["Timestamp"] for row in rows(european.post("/reports", json=body))]
    assert min(times) >= "2026-03-17T23:00"
    assert max(times) < "2026-03-18T23:00"


def test_the_same_day_asked_again_later_and_elsewhere_gives_the_same_bytes(sandbox: Sandbox, client: httpx.Client):
    first = ask(client, "ContactTimestampsReport", "2026-03-18").content
    sandbox.clock.advance(days=40)
    report(client, "ContactTimestampsReport", "2026-04-20")
    assert ask(client, "ContactTimestampsReport", "2026-03-18").content == first
    with serve(SandboxSettings(clock=Clock(NOW), gladly=SMALL)) as other, connect(other) as elsewhere:
        assert ask(elsewhere, "ContactTimestampsReport", "2026-03-18").content == first
    with serve(SandboxSettings(seed=8, clock=Clock(NOW), gladly=SMALL)) as other, connect(other) as elsewhere:
        assert ask(elsewhere, "ContactTimestampsReport", "2026-03-18").content != first


def test_today_grows_with_the_clock_and_tomorrow_is_a_header_alone(sandbox: Sandbox, client: httpx.Client):
    sandbox.clock.set("2026-03-20T15:00:00Z")
    morning = report(client, "ContactTimestampsReport", "2026-03-20")
    sandbox.clock.advance(hours=3)
    noon = report(client, "ContactTimestampsReport", "2026-03-20")
    assert noon[: len(morning)] == morning
    assert len(noon) > len(morning) > 10
    assert max(row["Timestamp"] for row in morning) <= "2026-03-20T15:00:00.000Z"
    empty = ask(client, "ContactTimestampsReport", "2026-03-21")
    assert empty.text.splitlines() == [",".join(METRIC_SETS[0].columns)]


def test_open_conversations_restate_and_closed_days_keep_their_rows(sandbox: Sandbox, client: httpx.Client):
    sandbox.clock.set("2026-03-11T04:00:00Z")
    early = {
        r["Conversation ID"]: r for r in report(client, "ConversationExportReport", "2026-03-10", timezone=NEW_YORK)
    }
    sandbox.clock.advance(days=25)
    late = {
        r["Conversation ID"]: r for r in report(client, "ConversationExportReport", "2026-03-10", timezone=NEW_YORK)
    }
    assert early.keys() == late.keys()
    changes = Counter((early[key]["Status"], late[key]["Status"]) for key in early)
    assert changes["OPEN", "CLOSED"] > 3
    assert changes["CLOSED", "CLOSED"] > 20
    assert changes["CLOSED", "OPEN"] == 0
    assert any(int(late[key]["Times Reopened"]) > int(early[key]["Times Reopened"]) for key in early)
    assert all(row["Last Closed At"] == "" for row in early.values() if row["Times Closed"] == "0")


def test_open_contacts_have_blank_ends_until_they_end(sandbox: Sandbox, client: httpx.Client):
    sandbox.clock.set("2026-03-10T18:00:00Z")
    early = {row["Contact ID"]: row for row in report(client, "ContactExportReportV3", "2026-03-10")}
    sandbox.clock.advance(days=6)
    late = {row["Contact ID"]: row for row in report(client, "ContactExportReportV3", "2026-03-10")}
    still_open = {key for key, row in early.items() if not row["Ended At"]}
    assert len(still_open) > 2
    assert all(
        early[key]["Wait Time in seconds"] == early[key]["Agent ID - First Accepted"] == "" for key in still_open
    )
    assert all(late[key]["Ended At"] > "2026-03-10T18:00:00" for key in still_open)
    assert all(late[key] == row for key, row in early.items() if key not in still_open)


def test_values_hold_quoted_line_breaks_commas_and_accents(client: httpx.Client):
    response = ask(client, "ConversationTimestampsReport", "2026-03-16", "2026-03-18")
    table = rows(response)
    assert len(response.text.splitlines()) > len(table) + 1
    assert "Lost Parcel\n(carrier claim)" in {row["Topic Name"] for row in table}
    assert any(row["Topic Name"] == 'Frame size ("fit")' for row in table)
    assert any("," in row["Assigned Agent Name"] for row in table)
    assert "Refund, partial" in response.content.decode("utf-8")


def test_a_report_stops_at_the_row_cap_without_a_word():
    capped = replace(SMALL, row_cap=100, byte_order_mark=True)
    with serve(SandboxSettings(clock=Clock(NOW), gladly=capped)) as sandbox, connect(sandbox) as client:
        response = ask(client, "ContactTimestampsReport", "2026-03-01", "2026-03-18")
        assert response.status_code == 200
        assert response.content.startswith(b"\xef\xbb\xbfTimestamp,")
        assert len(rows(response)) == 100
        response = ask(client, "ContactTimestampsReport", "2026-03-01", "2026-03-01")
        assert 0 < len(rows(response)) <= 100


def test_reports_in_minutes_include_the_minute_they_end_in(client: httpx.Client):
    whole = report(client, "ContactExportReportV3", "2026-03-18")
    body = {
        "metricSet": "ContactExportReportV3",
        "startAtTime": "2026-03-18T10:00-04:00",
        "endAtTime": "2026-03-18T18:59Z",
    }
    between = rows(client.post("/reports", json=body))
    assert between == [row for row in whole if "2026-03-18T14:00" <= row["Queued At"] < "2026-03-18T19:00"]
    assert len(between) > 5


def test_a_lower_first_letter_is_accepted_in_metric_sets(client: httpx.Client):
    assert report(client, "agentTimestampsReport", "2026-03-18") == report(
        client, "AgentTimestampsReport", "2026-03-18"
    )


def test_filters_narrow_reports_by_channel_inbox_and_team(client: httpx.Client):
    everything = report(client, "ContactTimestampsReport", "2026-03-18")
    emails = report(client, "ContactTimestampsReport", "2026-03-18", filters={"channel": "email"})
    assert emails == [row for row in everything if row["Channel"] == "EMAIL"]
    inbox = client.get("/inboxes").json()[0]
    held = report(client, "ContactTimestampsReport", "2026-03-18", filters={"inboxes": [inbox["id"]]})
    assert {row["Assigned Inbox Name"] for row in held} <= {inbox["name"], ""}
    assert 0 < len(held) < len(everything)
    team = client.get("/teams").json()[1]
    agents = report(client, "AgentTimestampsReport", "2026-03-18", filters={"teams": [team["id"]]})
    assert 0 < len(agents) < len(report(client, "AgentTimestampsReport", "2026-03-18"))


@pytest.mark.parametrize(
    ("change", "attr", "code"),
    [
        ({"metricSet": "MadeUpReport"}, "metricSet", "invalid"),
        ({"metricSet": "TaskExportReport"}, "metricSet", "invalid"),
        ({"metricSet": None}, "metricSet", "blank"),
        ({"startAt": None}, "startAt", "blank"),
        ({"endAt": "18.03.2026"}, "endAt", "invalid"),
        ({"endAt": "2026-03-17"}, "endAt", "invalid"),
        ({"timezone": "Mars/Olympus"}, "timezone", "invalid"),
        ({"aggregationLevel": "daily"}, "aggregationLevel", "invalid"),
        ({"metricSet": "AgentSummaryV2", "aggregationLevel": "hourly"}, "aggregationLevel", "invalid"),
        (
            {"metricSet": "AgentSummaryV2", "startAt": "2026-01-01", "aggregationLevel": "halfHourly"},
            "aggregationLevel",
            "invalid",
        ),
        ({"startAtTime": "2026-03-18T00:00Z", "endAtTime": "2026-03-18T01:00Z"}, "startAtTime", "invalid"),
        (
            {
                "metricSet": "ContactExportReportV3",
                "startAtTime": "2026-03-18T00:00Z",
                "endAtTime": "2026-03-18T01:00Z",
            },
            "startAt",
            "present",
        ),
        ({"filters": {"inboxes": ["nowhere"]}}, "filters.inboxes", "invalid"),
        ({"filters": {"teams": ["nobody"]}}, "filters.teams", "invalid"),
        ({"filters": {"channel": "PHONE_CALL"}}, "filters.channel", "invalid"),
    ],
)
def test_a_request_against_the_rules_is_refused_with_the_field_to_blame(
    client: httpx.Client, change: dict[str, object], attr: str, code: str
):
    asked = {"metricSet": "ContactTimestampsReport", "startAt": "2026-03-18", "endAt": "2026-03-18", **change}
    response = client.post("/reports", json=asked)
    assert response.status_code == 400
    error = response.json()["errors"][0]
    assert (error["attr"], error["code"]) == (attr, code)
    assert error["detail"]


@pytest.mark.parametrize("body", [b"not json", b"[]"])
def test_a_body_that_is_no_object_is_refused(client: httpx.Client, body: bytes):
    assert client.post("/reports", content=body).status_code == 400
