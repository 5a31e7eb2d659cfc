"""Every fault as a client meets it, over real connections, and the paths that steer a running sandbox."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from penstock.errors import ConfigurationError
from sandbox.clock import Clock
from sandbox.faults import Fault
from sandbox.gladly.settings import GLADLY_EMAIL, GLADLY_TOKEN, GladlySettings
from sandbox.registry import SERVICES
from sandbox.rest.collection import REST_CLIENT_ID, REST_CLIENT_SECRET, Auth, Collection, Paging, TimeFilter
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings

NOW = "2026-03-20T12:00:00Z"
RECORDS = [{"id": number, "updated_at": f"2026-03-{1 + number % 20:02d}T00:00:00Z"} for number in range(120)]
COLLECTIONS = {
    "things": Collection(records=RECORDS, paging=Paging(style="cursor", size=50), time_filter=TimeFilter()),
    "linked": Collection(records=RECORDS, paging=Paging(style="link_header", size=50), record_path=""),
    "guarded": Collection(records=RECORDS, auth=Auth(kind="oauth2")),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    settings = SandboxSettings(
        clock=Clock(NOW), collections=COLLECTIONS, gladly=GladlySettings(conversations_per_day=40)
    )
    with serve(settings) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def connection(server: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=10) as client:
        yield client


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    server.reset()
    server.clock.set(NOW)
    return server


@pytest.fixture
def client(sandbox: Sandbox, connection: httpx.Client) -> httpx.Client:
    assert sandbox.url in str(connection.base_url)
    return connection


def test_429_comes_with_seconds_with_a_date_or_bare(sandbox: Sandbox, client: httpx.Client):
    sandbox.faults.add(Fault(kind="rate_limited", path="/rest/things", retry_after_seconds=7))
    sandbox.faults.add(
        Fault(kind="rate_limited", path="/rest/things", retry_after_seconds=7, retry_after_form="http_date")
    )
    sandbox.faults.add(Fault(kind="rate_limited", path="/rest/things"))
    by_seconds, by_date, bare, fine = (client.get("/rest/things") for _ in range(4))
    assert [r.status_code for r in (by_seconds, by_date, bare, fine)] == [429, 429, 429, 200]
    assert by_seconds.headers["retry-after"] == "7"
    moment = datetime.strptime(by_date.headers["retry-after"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    assert timedelta(seconds=4) < moment - datetime.now(tz=UTC) <= timedelta(seconds=8)
    assert "retry-after" not in bare.headers
    assert bare.json() == {"error": "rate_limited"}


@pytest.mark.parametrize("status", [500, 503, 404])
def test_error_statuses_come_in_the_services_own_words(sandbox: Sandbox, client: httpx.Client, status: int):
    sandbox.faults.add(Fault(kind="server_error", status=status, times=2, after=1))
    answers = [client.get("/rest/things"), client.get("/rest/things"), ask_gladly(client), ask_gladly(client)]
    assert [answer.status_code for answer in answers] == [200, status, status, 200]
    assert "error" in answers[1].json()
    assert answers[2].json()["errors"][0]["code"]


def test_a_truncated_body_breaks_off_before_the_length_it_promised(sandbox: Sandbox, client: httpx.Client):
    whole = client.get("/rest/things").content
    sandbox.faults.add(Fault(kind="truncated_body", path="/rest/things"))
    with socket.create_connection(("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1])), timeout=5) as raw:
        raw.sendall(b"GET /rest/things HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b"".join(iter(lambda: raw.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    assert f"content-length: {len(whole)}".encode() in head.lower()
    assert body == whole[: len(whole) // 2]
    sandbox.faults.add(Fault(kind="truncated_body", path="/rest/things"))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/rest/things")
    assert client.get("/rest/things").content == whole
    assert [entry.status for entry in sandbox.log.requests()] == [200] * 4


def test_a_dropped_connection_has_no_answer_and_the_next_request_works(sandbox: Sandbox, client: httpx.Client):
    sandbox.faults.add(Fault(kind="connection_drop", path="/rest/things"))
    with pytest.raises(httpx.TransportError):
        client.get("/rest/things")
    assert client.get("/rest/things").status_code == 200
    assert [entry.status for entry in sandbox.log.requests()] == [None, 200]


def test_a_slow_response_comes_late_and_whole(sandbox: Sandbox, client: httpx.Client):
    sandbox.faults.add(Fault(kind="slow", delay_seconds=0.4))
    began = time.monotonic()
    assert client.get("/rest/things").status_code == 200
    assert 0.4 <= time.monotonic() - began < 5
    sandbox.faults.add(Fault(kind="slow", delay_seconds=5))
    with pytest.raises(httpx.ReadTimeout):
        client.get("/rest/things", timeout=0.2)


def test_an_expired_token_stays_expired_and_a_new_one_works(sandbox: Sandbox, client: httpx.Client):
    def fetch(token: str) -> int:
        return client.get("/rest/guarded", headers={"authorization": f"Bearer {token}"}).status_code

    def grant() -> str:
        form = {"grant_type": "client_credentials", "client_id": REST_CLIENT_ID, "client_secret": REST_CLIENT_SECRET}
        return client.post("/rest/oauth/token", data=form).json()["access_token"]

    old = grant()
    sandbox.faults.add(Fault(kind="expired_token", path="/rest/guarded", after=1))
    assert [fetch(old), fetch(old), fetch(old)] == [200, 401, 401]
    assert fetch(grant()) == 200


def test_a_fixed_credential_is_refused_once_and_works_again(sandbox: Sandbox, client: httpx.Client):
    sandbox.faults.add(Fault(kind="expired_token", path="/gladly/*"))
    assert [ask_gladly(client).status_code for _ in range(2)] == [401, 200]


def read_pages(client: httpx.Client, most: int = 10) -> list[list[int]]:
    pages: list[list[int]] = []
    params: dict[str, str] = {}
    while len(pages) < most:
        body = client.get("/rest/things", params=params).json()
        pages.append([record["id"] for record in body["data"]])
        if not body["paging"]["next"]:
            break
        params = {"cursor": body["paging"]["next"]}
    return pages


def test_a_repeated_page_token_leads_back_to_the_same_page(sandbox: Sandbox, client: httpx.Client):
    first, second, third = read_pages(client)
    sandbox.faults.add(Fault(kind="repeated_page_token", path="/rest/things", after=1))
    assert read_pages(client) == [first, second, second, third]
    sandbox.faults.add(Fault(kind="repeated_page_token", path="/rest/things", times=None))
    assert read_pages(client, most=5) == [first] * 5


def test_a_missing_page_token_ends_paging_before_the_last_page(sandbox: Sandbox, client: httpx.Client):
    sandbox.faults.add(Fault(kind="missing_page_token", path="/rest/things", after=1))
    assert [len(page) for page in read_pages(client)] == [50, 50]
    sandbox.faults.add(Fault(kind="missing_page_token", path="/rest/linked"))
    assert "next" not in client.get("/rest/linked").links
    assert "next" in client.get("/rest/linked").links


def ask_gladly(client: httpx.Client, metric_set: str = "AgentTimestampsReport") -> httpx.Response:
    body = {"metricSet": metric_set, "startAt": "2026-03-18", "endAt": "2026-03-18"}
    url = "/gladly/warbyparker/api/v1/reports"
    return client.post(url, json=body, auth=(GLADLY_EMAIL, GLADLY_TOKEN))


def test_a_report_can_be_an_error_text_with_status_200_and_others_stay_whole(sandbox: Sandbox, client: httpx.Client):
    sandbox.faults.add(Fault(kind="error_text", path="*/reports", contains="ContactTimestampsReport"))
    assert ask_gladly(client).text.startswith("Timestamp,")
    wrong = ask_gladly(client, "ContactTimestampsReport")
    assert (wrong.status_code, wrong.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert wrong.text.startswith("Unexpected error occurred")
    assert ask_gladly(client, "ContactTimestampsReport").text.startswith("Timestamp,")


def test_late_records_are_missing_until_the_clock_reaches_their_time(sandbox: Sandbox, client: httpx.Client):
    late = Fault(kind="late_rows", path="/rest/things", since=datetime(2026, 3, 21, tzinfo=UTC), row_share=0.5)
    sandbox.faults.add(late)
    window = {"updated_since": "2026-03-05T00:00:00Z", "updated_until": "2026-03-09T00:00:00Z"}
    before = client.get("/rest/things", params=window).json()["data"]
    sandbox.clock.set("2026-03-21T00:00:00Z")
    after = client.get("/rest/things", params=window).json()["data"]
    assert len(after) == 24
    assert 0 < len(before) < 24
    assert [record for record in after if record in before] == before


def test_records_change_their_fields_from_a_date(sandbox: Sandbox, client: httpx.Client):
    sandbox.faults.add(
        Fault(kind="schema_change", path="/rest/linked", since=datetime(2026, 3, 21, tzinfo=UTC), column="tier")
    )
    sandbox.faults.add(Fault(kind="schema_change", path="/rest/linked", change="remove", column="updated_at"))
    assert client.get("/rest/linked").json()[0] == {"id": 0}
    sandbox.clock.advance(days=1)
    assert client.get("/rest/linked").json()[0] == {"id": 0, "tier": "added"}
    assert client.get("/rest/things").json()["data"][0] == RECORDS[0]


def test_faults_are_set_listed_and_cleared_over_http(client: httpx.Client):
    fault: dict[str, Any] = {"kind": "rate_limited", "path": "/rest/things", "retry_after_seconds": 3}
    listed = client.post("/_sandbox/faults", json=fault).json()
    assert [(entry["kind"], entry["met"]) for entry in listed] == [("rate_limited", 0)]
    assert client.get("/rest/things").headers["retry-after"] == "3"
    assert client.get("/_sandbox/faults").json()[0]["met"] == 1
    client.post("/_sandbox/faults", json={**fault, "times": None})
    assert client.delete("/_sandbox/faults").json() == []
    assert client.get("/rest/things").status_code == 200
    wrong = client.post("/_sandbox/faults", json={"kind": "flood", "pth": "x"})
    assert wrong.status_code == 400
    assert {problem["where"] for problem in wrong.json()["errors"]} == {"kind", "pth"}


def test_requests_are_listed_over_http_without_the_sandboxs_own(client: httpx.Client):
    client.get("/rest/things", params={"per_page": 5, "api_key": "hush"})
    client.get("/rest/linked")
    client.get("/nowhere")
    listed = client.get("/_sandbox/requests").json()
    assert [(entry["service"], entry["path"], entry["query"], entry["status"]) for entry in listed] == [
        ("rest", "/rest/things", "per_page=5&api_key=***", 200),
        ("rest", "/rest/linked", "", 200),
        ("nowhere", "/nowhere", "", 404),
    ]
    assert len(client.get("/_sandbox/requests", params={"path": "*/linked"}).json()) == 1
    assert client.delete("/_sandbox/requests").json() == []


def test_the_clock_is_told_and_moved_over_http(sandbox: Sandbox, client: httpx.Client):
    assert client.get("/_sandbox/clock").json() == {"now": "2026-03-20T12:00:00+00:00", "stands_still": True}
    client.post("/_sandbox/clock", json={"advance_seconds": 90})
    assert sandbox.clock.now() == datetime(2026, 3, 20, 12, 1, 30, tzinfo=UTC)
    moved = client.post("/_sandbox/clock", json={"set": "2026-04-01T00:00:00-04:00"})
    assert moved.json()["now"] == "2026-04-01T04:00:00+00:00"
    assert client.post("/_sandbox/clock", json={"real": True}).json()["stands_still"] is False
    assert client.post("/_sandbox/clock", json={"set": "noon"}).status_code == 400
    assert client.post("/_sandbox/clock", json={"sett": "noon"}).status_code == 400


def test_the_index_says_what_is_served(sandbox: Sandbox, client: httpx.Client):
    index = client.get("/").json()
    assert index["services"] == {service.name: service.home for service in SERVICES}
    assert index["services"]["gladly"] == "/gladly/warbyparker/api/v1"
    assert index["services"]["rest"] == "/rest"
    assert sandbox.service_url("gladly") == f"{sandbox.url}/gladly/warbyparker/api/v1"
    with pytest.raises(ConfigurationError, match="no such service"):
        sandbox.service_url("glady")


def test_a_port_that_is_taken_is_refused_and_a_stopped_sandbox_frees_its_own():
    with serve(SandboxSettings()) as first:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(ConfigurationError, match="port"), serve(SandboxSettings(port=port)):
            pass
    with serve(SandboxSettings(port=port)) as second:
        assert httpx.get(f"{second.url}/_sandbox/clock").json()["stands_still"] is False


def test_a_sandbox_in_the_foreground_ends_quietly_when_interrupted():
    script = "from sandbox.server import run_forever\nrun_forever(0, announce=lambda s: print(s.url, flush=True))"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        answer = wait_for(f"{url}/rest/accounts")
        process.send_signal(2)
        _, errors = process.communicate(timeout=20)
    assert answer.json()["paging"]["total"] > 0
    assert (process.returncode, errors) == (0, "")


def wait_for(url: str) -> httpx.Response:
    """Asks until a server that has just bound its port answers."""
    for _ in range(200):
        try:
            return httpx.get(url)
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError("the sandbox did not answer")
