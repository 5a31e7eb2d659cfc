"""Alerts fire on a Prefect server: a run that is late, crashed, or does not end.

No worker runs, so that runs are late by themselves; what a worker would report is reported for it. The trigger that
waits is given seconds in place of hours, once it is on the server; nothing else of it is changed.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.scaffolding import client_flow
from flows.local_server_schema import prepare_database

PATIENCE_SECONDS = 240
WAIT_SECONDS = 25  # long beside the two requests in which a run starts and ends, on a busy machine too
BIN = Path(sys.executable).parent
PLATFORM = """\
version: 1
platform: local
project: alerts
store: {kind: folder, path: lake}
warehouse: {kind: duckdb, path: warehouse.duckdb}
connections: {api: {kind: rest, base_url: "http://127.0.0.1:9"}}
dbt: {target: duckdb}
work_pool: pool
concurrent_runs: 10
alerts: {on: [failed, crashed, late, stuck], notify: custom-webhook/team, stuck_after: 2h}
"""
PIPELINE = """\
version: 1
pipeline: shop
client: acme
source: {kind: rest, connection: api}
window: {kind: full}
load_strategy: {kind: full_refresh}
datasets: [{name: things, path: /things}]
"""


class Api:
    """A Prefect server over HTTP; asked again where its SQLite was being written."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answers: list[httpx.Response] = []

        def is_answered() -> bool:
            answers.append(httpx.request(method, self.url + path, json=body, timeout=PATIENCE_SECONDS))
            return answers[-1].status_code != httpx.codes.SERVICE_UNAVAILABLE

        until(is_answered)
        found = answers[-1].raise_for_status()
        return found.json() if found.content else None

    def start_run(self, name: str) -> str:
        """Starts a run as a worker would, without a process."""
        deployment = self.ask("GET", "/deployments/name/acme/shop")
        run = self.ask("POST", f"/deployments/{deployment['id']}/create_flow_run", {"name": name})
        for state in ("PENDING", "RUNNING"):
            self.set_state(run["id"], state)
        return str(run["id"])

    def set_state(self, run_id: str, kind: str) -> None:
        self.ask("POST", f"/flow_runs/{run_id}/set_state", {"state": {"type": kind}})

    def state(self, run_id: str) -> str:
        return str(self.ask("GET", f"/flow_runs/{run_id}")["state"]["type"])


def until(holds: Callable[[], bool], seen: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, seen()
        time.sleep(0.3)


@pytest.fixture(scope="module")
def hook() -> Iterator[tuple[str, list[str]]]:
    """A webhook's address, and what it receives."""
    received: list[str] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", received
        server.shutdown()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, hook: tuple[str, list[str]]) -> Iterator[Api]:
    root = tmp_path_factory.mktemp("alerts")
    write_project(root)
    (root / "prefect").mkdir()
    is_migrated = prepare_database(root / "prefect" / "prefect.db")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PENSTOCK_"))}
    environment = {
        **own,
        "PREFECT_HOME": str(root / "prefect"),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
        "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
        "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": str(not is_migrated).lower(),
        "PENSTOCK_PROJECT": str(root),
        "PENSTOCK_HOME": str(root / "home"),
    }
    with (root / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [str(BIN / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        one = Api(environment["PREFECT_API_URL"])
        until(lambda: is_up(one.url), (root / "server.log").read_text)
        deploy(environment, hook[0])
        wait_for_seconds_only(one)
        yield one
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=PATIENCE_SECONDS)


def write_project(root: Path) -> None:
    files = {
        "deployments/platforms/local.yaml": PLATFORM,
        "deployments/clients/acme/shop.yaml": PIPELINE,
        "flows/clients/acme.py": client_flow("acme"),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def deploy(environment: dict[str, str], hook_url: str) -> None:
    script = (
        "import sys; from prefect.blocks.notifications import CustomWebhookNotificationBlock as Hook\n"
        "Hook(name='team', url=sys.argv[1], json_data={'text': '{{subject}}'}).save('team')"
    )
    for command in ([sys.executable, "-c", script, hook_url], [str(BIN / "penstock"), "deploy", "--create-pool"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def wait_for_seconds_only(api: Api) -> None:
    for one in api.ask("POST", "/automations/filter", {}):
        if one["trigger"]["posture"] == "Proactive":
            trigger = {**one["trigger"], "within": WAIT_SECONDS}
            kept = {key: one[key] for key in ("name", "description", "enabled", "actions")}
            api.ask("PUT", f"/automations/{one['id']}", {**kept, "trigger": trigger})


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def test_a_run_that_is_late_crashed_or_stuck_is_told_of_and_one_that_ends_is_not(
    api: Api, hook: tuple[str, list[str]]
) -> None:
    deployment = api.ask("GET", "/deployments/name/acme/shop")
    api.ask("POST", f"/deployments/{deployment['id']}/create_flow_run", {"name": "nobody-begins-it"})
    ended = api.start_run("went-well")
    api.set_state(ended, "COMPLETED")
    crashed = api.start_run("process-gone")
    api.set_state(crashed, "CRASHED")
    stuck = api.start_run("does-not-end")

    expected = {
        "shop: run nobody-begins-it is late",
        "shop: run does-not-end is stuck",
        "shop: run process-gone is crashed",
    }
    until(lambda: expected <= set(hook[1]), lambda: str(hook[1]))
    assert [api.state(run) for run in (stuck, crashed, ended)] == ["RUNNING", "CRASHED", "COMPLETED"]
    assert not [text for text in hook[1] if "went-well" in text]
