"""Gladly's endpoints agree with each other, keep their limits, and change rows and columns when told to."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import starmap

import httpx
import orjson
import pytest

from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.gladly.reports.catalog import METRIC_SETS
from sandbox.gladly.settings import (
    DOCUMENTED_LIMITS,
    GENEROUS_LIMITS,
)
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tests.fakes.gladly_api import NEW_YORK, NOW, SMALL, Row, ask, connect, report, rows


def work_sessions(client: httpx.Client, start: str, end: str) -> list[Row]:
    body = {"startAtTime": start, "endAtTime": end}
    return rows(client.post("/reports/work-session-events", json=body))


def seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def test_ids_in_reports_are_those_of_the_lists(client: httpx.Client):
    known = {name: {entry["id"] for entry in client.get(f"/{name}").json()} for name in ("agents", "inboxes", "topics")}
    contacts = report(client, "ContactTimestampsReport", "2026-03-18")
    conversations = report(client, "ConversationTimestampsReport", "2026-03-18")
    assert {row["Assigned Inbox ID"] for row in contacts} - {""} <= known["inboxes"]
    assert {row["Assigned Agent ID"] for row in contacts} - {""} <= known["agents"]
    assert {row["Topic ID"] for row in conversations} - {""} <= known["topics"]
    assert {row["Conversation ID"] for row in contacts} & {row["Conversation ID"] for row in conversations}
    assert len(client.get("/teams").json()) == 3
    assert client.get("/organization").json()["timezone"] == NEW_YORK


def test_wait_hold_and_handle_time_of_the_export_follow_from_the_timestamps(client: httpx.Client):
    events: dict[str, dict[str, list[str]]] = {}
    for row in report(client, "ContactTimestampsReport", "2026-03-10", "2026-03-19"):
        events.setdefault(row["Contact ID"], {}).setdefault(row["Event Type"][8:], []).append(row["Timestamp"])
    checked = 0
    for row in report(client, "ContactExportReportV3", "2026-03-11"):
        seen = events[row["Contact ID"]]
        assert seen["STARTED"] == [row["Queued At"]]
        if not row["First Accepted At"] or row["Direction"] == "OUTBOUND":
            continue
        assert seen["ENDED"] == [row["Ended At"]]
        assert float(row["Wait Time in seconds"]) == seconds(row["Queued At"], seen["OFFER_ACCEPTED"][0])
        holds = zip(seen.get("HOLD_STARTED", []), seen.get("HOLD_ENDED", []), strict=True)
        assert float(row["Hold Time in seconds"]) == pytest.approx(sum(seconds(*hold) for hold in holds))
        ends = [*seen.get("TRANSFERRED", []), row["Ended At"]]
        handled = sum(starmap(seconds, zip(seen["OFFER_ACCEPTED"], ends, strict=True)))
        assert float(row["Handle Time in seconds"]) == pytest.approx(handled)
        checked += 1
    assert checked > 40


def test_work_sessions_divide_the_handle_time_among_the_agents(client: httpx.Client):
    exported = {row["Contact ID"]: row for row in report(client, "ContactExportReportV3", "2026-03-05", "2026-03-11")}
    by_conversation = Counter({row["Conversation ID"]: 0.0 for row in exported.values()})
    sessions = [
        row
        for row in work_sessions(client, "2026-03-05T00:00Z", "2026-03-19T23:59Z")
        if row["conversation_id"] in by_conversation
        and "2026-03-05" <= row["contact_session_created_at"] < "2026-03-12"
    ]
    for row in sessions:
        by_conversation[row["conversation_id"]] += float(row["work_session_handle_time_sec"] or 0)
    for row in exported.values():
        by_conversation[row["Conversation ID"]] -= float(row["Handle Time in seconds"] or 0)
    assert by_conversation == pytest.approx(dict.fromkeys(by_conversation, 0), abs=0.01)
    assert len({(row["contact_session_id"], row["agent_id"]) for row in sessions}) == len(sessions) >= len(exported)


def test_a_work_session_moves_to_the_window_of_its_end(sandbox: Sandbox, client: httpx.Client):
    sandbox.clock.set("2026-03-18T16:00:00Z")
    before = {row["contact_session_id"]: row for row in work_sessions(client, "2026-03-18T12:00Z", "2026-03-18T15:59Z")}
    waiting = {key: row for key, row in before.items() if not row["contact_session_ended_at"]}
    assert waiting
    assert all(row["id"] == "" for row in waiting.values())
    sandbox.clock.set("2026-03-21T00:00:00Z")
    after = work_sessions(client, "2026-03-18T12:00Z", "2026-03-18T15:59Z")
    moved = {key for key, row in waiting.items() if key not in {row["contact_session_id"] for row in after}}
    assert moved == waiting.keys()
    assert all(row["id"] for row in after)
    later = {row["contact_session_id"] for row in work_sessions(client, "2026-03-18T16:00Z", "2026-03-20T23:59Z")}
    assert moved <= later


def test_work_sessions_want_both_minutes(client: httpx.Client):
    response = client.post("/reports/work-session-events", json={"startAtTime": "2026-03-18T00:00Z"})
    assert response.status_code == 400
    assert response.json()["errors"][0]["attr"] == "endAtTime"


def test_the_agent_summary_adds_up_at_every_level(client: httpx.Client):
    accepted = Counter(
        row["Initiator ID"]
        for row in report(client, "ContactTimestampsReport", "2026-03-16", "2026-03-18")
        if row["Event Type"] == "CONTACT/OFFER_ACCEPTED"
    )
    for level, buckets in [("halfHourly", 144), ("daily", 3), ("weekly", 1), ("monthly", 1), ("quarterly", 1)]:
        summary = report(client, "AgentSummaryV2", "2026-03-16", "2026-03-18", aggregationLevel=level)
        found = Counter()
        for row in summary:
            found[row["Agent ID"]] += int(row["Contact Accepted"])
            assert sum(int(row[name]) for name in row if name.startswith("Contact Accepted - ")) <= int(
                row["Contact Accepted"]
            )
        assert +found == accepted
        assert 1 <= len({row["Bucket Beginning"] for row in summary}) <= buckets


def test_durations_are_those_between_the_status_events(client: httpx.Client):
    events = report(client, "AgentTimestampsReport", "2026-03-16", "2026-03-19")
    changes = {(row["Agent ID"], row["Timestamp"]) for row in events}
    spans = report(client, "AgentDurationsReportV2", "2026-03-17", "2026-03-18")
    assert {row["Type"] for row in spans} == {"ACTIVE", "AWAY"}
    assert {(row["Agent ID"], row[end]) for row in spans for end in ("Start time", "End time")} <= changes
    assert all(float(row["Duration (mins)"]) > 0 for row in spans)


def test_export_jobs_cover_the_last_fourteen_days_one_utc_day_each(sandbox: Sandbox, client: httpx.Client):
    jobs = client.get("/export/jobs", params={"status": "COMPLETED"}).json()
    assert len(jobs) == 14
    starts = sorted(job["parameters"]["startAt"] for job in jobs)
    assert starts[-1] == "2026-03-19T00:00:00Z"
    assert starts == [f"2026-03-{day:02d}T00:00:00Z" for day in range(6, 20)]
    assert all(job["updatedAt"] > job["parameters"]["endAt"] for job in jobs)
    schedule = client.get("/export/schedules").json()
    assert [(s["frequency"], s["nextStartAt"]) for s in schedule] == [("DAILY", "2026-03-21T00:00:00Z")]
    assert {job["scheduleId"] for job in jobs} == {schedule[0]["id"]}
    sandbox.clock.set("2026-03-20T06:45:00Z")
    running = client.get("/export/jobs", params={"status": "IN_PROGRESS"}).json()
    assert [(job["parameters"]["startAt"], job["files"]) for job in running] == [("2026-03-19T00:00:00Z", [])]


def test_export_job_filters_act_on_the_update_and_know_their_limits(client: httpx.Client):
    wanted = {"startAt": "2026-03-18T00:00:00Z", "endAt": "2026-03-19T00:00:00Z"}
    assert [job["parameters"]["startAt"] for job in client.get("/export/jobs", params=wanted).json()] == [
        "2026-03-17T00:00:00Z"
    ]
    assert client.get("/export/jobs", params={"status": "FAILED"}).json() == []
    for refused in ({"startAt": "2026-03-01T00:00:00Z"}, {"endAt": "2026-03-21T00:00:00Z"}, {"startAt": "2026-03-19"}):
        assert client.get("/export/jobs", params=refused).status_code == 400


def test_export_files_are_json_lines_that_agree_with_the_reports(client: httpx.Client):
    job = client.get("/export/jobs").json()[0]
    assert client.get(f"/export/jobs/{job['id']}").json() == job
    files = {}
    for name in job["files"]:
        response = client.get(f"/export/jobs/{job['id']}/files/{name}")
        assert response.headers["content-type"] == "application/x-ndjson"
        files[name] = [orjson.loads(line) for line in response.content.splitlines()]
    items = files["conversation_items.jsonl"]
    assert len({item["id"] for item in items}) == len(items)
    assert {item["customerId"] for item in items} == {customer["id"] for customer in files["customers.jsonl"]}
    assert {"PHONE_CALL", "EMAIL", "CHAT_MESSAGE", "TOPIC_CHANGE", "CONVERSATION_STATUS_CHANGE"} <= {
        item["content"]["type"] for item in items
    }
    assert files["agents.jsonl"] == client.get("/agents").json()
    assert files["topics.jsonl"] == client.get("/topics").json()
    events = report(client, "ContactTimestampsReport", "2026-03-19")
    calls = [row for row in events if row["Event Type"] == "CONTACT/STARTED" and row["Channel"] == "PHONE_CALL"]
    assert sorted(row["Timestamp"] for row in calls) == sorted(
        item["content"]["startedAt"] for item in items if item["content"]["type"] == "PHONE_CALL"
    )


def test_a_deleted_export_job_is_gone_until_the_sandbox_is_reset(sandbox: Sandbox, client: httpx.Client):
    job = client.get("/export/jobs").json()[0]
    path = f"/export/jobs/{job['id']}"
    assert client.get(f"{path}/files/customers.csv").status_code == 404
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get(f"{path}/files/agents.jsonl").status_code == 404
    sandbox.reset()
    assert client.get(path).status_code == 200


def test_events_of_the_last_day_are_those_of_the_reports(client: httpx.Client):
    asked = {
        "startAt": "2026-03-19T20:00:00Z",
        "endAt": "2026-03-19T23:00:00Z",
        "entities": ["CONTACT", "AGENT_STATUS"],
    }
    response = client.get("/events", params=asked)
    assert response.headers["content-type"] == "application/x-jsonlines"
    events = [orjson.loads(line) for line in response.content.splitlines()]
    assert len({event["id"] for event in events}) == len(events)
    told = [(e["timestamp"], e["type"]) for e in events if e["type"].startswith("CONTACT/")]
    reported = report(client, "ContactTimestampsReport", "2026-03-19")
    in_window = [r for r in reported if "2026-03-19T20" <= r["Timestamp"] < "2026-03-19T23"]
    assert told == [(row["Timestamp"], row["Event Type"]) for row in in_window]
    assert {event["type"].split("/")[0] for event in events} == {"CONTACT", "AGENT_STATUS"}


def test_events_lag_by_fifteen_seconds_and_reach_back_one_day(client: httpx.Client):
    everything = ["CONTACT", "CONVERSATION", "AGENT_STATUS", "AGENT_AVAILABILITY"]
    response = client.get("/events", params={"startAt": "2026-03-19T12:00:00Z", "entities": everything})
    times = [orjson.loads(line)["timestamp"] for line in response.content.splitlines()]
    assert times == sorted(times)
    assert times[-1] < "2026-03-20T11:59:45.000Z"
    for refused in (
        {"startAt": "2026-03-19T11:00:00Z", "entities": everything},
        {"startAt": "2026-03-20T11:00:00Z"},
        {"startAt": "2026-03-20T11:00:00Z", "entities": ["WEATHER"]},
        {"entities": everything},
    ):
        assert client.get("/events", params=refused).status_code == 400


def test_the_limit_of_calls_a_second_holds_and_is_told_in_headers():
    limited = replace(SMALL, limits=DOCUMENTED_LIMITS)
    with serve(SandboxSettings(clock=Clock(NOW), gladly=limited)) as sandbox, connect(sandbox) as client:
        responses = [client.get("/teams") for _ in range(12)]
        assert [response.status_code for response in responses] == [200] * 10 + [429] * 2
        assert {response.headers["Ratelimit-Limit-Second"] for response in responses} == {"10"}
        remaining = [int(response.headers["Ratelimit-Remaining-Second"]) for response in responses]
        assert remaining == [*range(9, -1, -1), 0, 0]
        assert "retry-after" not in responses[-1].headers
        sandbox.reset()
        assert client.get("/teams").status_code == 200


def test_the_limit_of_reports_a_minute_holds_beside_other_calls():
    limits = replace(GENEROUS_LIMITS, reports_per_minute=DOCUMENTED_LIMITS.reports_per_minute)
    settings = SandboxSettings(clock=Clock(NOW), gladly=replace(SMALL, limits=limits))
    with serve(settings) as sandbox, connect(sandbox) as client:
        statuses = [ask(client, "AgentTimestampsReport", "2026-03-18").status_code for _ in range(11)]
        assert statuses == [200] * 10 + [429]
        assert client.get("/teams").status_code == 200


def test_a_third_report_at_once_is_refused():
    limits = replace(GENEROUS_LIMITS, concurrent_reports=2)
    slow = replace(SMALL, limits=limits, report_seconds=0.5)
    with (
        serve(SandboxSettings(clock=Clock(NOW), gladly=slow)) as sandbox,
        connect(sandbox) as client,
        ThreadPoolExecutor(3) as pool,
    ):
        asked = [pool.submit(ask, client, "AgentTimestampsReport", "2026-03-18") for _ in range(3)]
        assert sorted(future.result().status_code for future in asked) == [200, 200, 429]
        assert ask(client, "AgentTimestampsReport", "2026-03-18").status_code == 200


def test_late_rows_arrive_when_the_clock_reaches_their_time(sandbox: Sandbox, client: httpx.Client):
    whole = report(client, "ContactTimestampsReport", "2026-03-18")
    sandbox.faults.add(
        Fault(
            kind="late_rows",
            path="/gladly/*/reports",
            rows_from=datetime(2026, 3, 18, 15, tzinfo=UTC),
            since=datetime(2026, 3, 21, tzinfo=UTC),
            row_share=0.3,
        )
    )
    partial = report(client, "ContactTimestampsReport", "2026-03-18")
    missing = [row for row in whole if row not in partial]
    assert partial == [row for row in whole if row not in missing]
    assert 0.1 < len(missing) / len(whole) < 0.4
    assert min(row["Timestamp"] for row in missing) >= "2026-03-18T15:00"
    sandbox.clock.set("2026-03-21T00:00:00Z")
    assert report(client, "ContactTimestampsReport", "2026-03-18") == whole


def test_a_report_changes_its_columns_from_a_date(sandbox: Sandbox, client: httpx.Client):
    since = datetime(2026, 3, 20, 13, tzinfo=UTC)
    path = "/gladly/*/reports"
    sandbox.faults.add(
        Fault(kind="schema_change", path=path, since=since, change="rename", column="Channel", new_name="Medium")
    )
    sandbox.faults.add(Fault(kind="schema_change", path=path, since=since, change="add", column="Sentiment"))
    before = report(client, "ContactTimestampsReport", "2026-03-18")
    assert tuple(before[0]) == METRIC_SETS[0].columns
    sandbox.clock.set(since + timedelta(minutes=1))
    after = report(client, "ContactTimestampsReport", "2026-03-18")
    assert [row["Medium"] for row in after] == [row["Channel"] for row in before]
    assert {row["Sentiment"] for row in after} == {"added"}
    assert "Channel" not in after[0]
