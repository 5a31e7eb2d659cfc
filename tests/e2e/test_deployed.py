"""On a Prefect server with a process worker: run by hand, by schedule, cancelled, killed; right rows each time.

The server and the worker are Prefect's own commands, and so is `prefect deployment run`; nothing of them is replaced.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from flows.local_server_process import SETTINGS
from flows.local_server_schema import prepare_database
from penstock.errors import PenstockError
from sandbox.faults import Fault
from sandbox.rest.collection import Collection, Paging, TimeFilter
from sandbox.server import Sandbox, serve
from sandbox.settings import SandboxSettings
from tasks.definitions.project import Project
from tasks.definitions.reading import read_platform
from tasks.environment import Environment

NAMES = ("alpha", "beta")
ROWS_A_DAY = 24
ONE_DAY = (ROWS_A_DAY, ROWS_A_DAY)
PATIENCE_SECONDS = 180
PLATFORM = """\
version: 1
platform: local
project: deployed
store: {{kind: folder, path: "${{PENSTOCK_HOME}}/lake"}}
warehouse: {{kind: duckdb, path: "${{PENSTOCK_HOME}}/warehouse.duckdb"}}
connections:
  hourly: {{kind: rest, base_url: "{api}/rest"}}
  drops: {{kind: folder, path: "${{PENSTOCK_HOME}}/drops"}}
dbt: {{target: duckdb}}
work_pool: penstock-local
alerts: {{on: [failed], notify: custom-webhook/team}}
"""
PIPELINE = """\
version: 1
pipeline: {name}
client: acme
source: {{kind: rest, connection: hourly}}
window: {{kind: daily, timezone: UTC}}
load_strategy: {{kind: append}}
transform: {{select: none}}
schedules: [{schedules}]
datasets:
"""
DATASET = """\
  - {{name: {table}, path: /{path}, records: data, table: {table},
     paging: {{kind: page_number, size_parameter: per_page, size: 10}},
     window_parameters: {{start: since, end: until}}}}
"""
LATE = """\
version: 1
pipeline: late
client: acme
source: {kind: s3_files, connection: drops}
window: {kind: daily, timezone: UTC}
load_strategy: {kind: append}
transform: {select: none}
datasets:
  - {name: late, table: late, glob: "{day:%Y%m%d}/*.csv", select: all, wait_for: {deadline: 1h, poll: 30m}}
"""


def hourly(name: str) -> Collection:
    """A record an hour, for ever."""

    def between(start: datetime | None, end: datetime | None) -> list[dict[str, Any]]:
        assert start is not None
        assert end is not None
        moments = [start + timedelta(hours=hour) for hour in range(int((end - start) / timedelta(hours=1)))]
        return [{"id": f"{name}-{moment:%Y%m%d%H}", "updated_at": moment.isoformat()} for moment in moments]

    return Collection(
        records=between,
        paging=Paging(style="page", size=10),
        time_filter=TimeFilter(start_name="since", end_name="until"),
    )


class Deployed:
    """A project on a Prefect server of its own, and the worker that runs it."""

    def __init__(self, root: Path, api: Sandbox) -> None:
        self.root, self.api = root, api
        self.worker: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        is_migrated = prepare_database(root / "prefect" / "prefect.db")
        self.http = httpx.Client(timeout=PATIENCE_SECONDS)
        self.url = f"http://127.0.0.1:{port}/api"
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "PENSTOCK_"))}
        self.environment = {
            **own,
            "PREFECT_HOME": str(root / "prefect"),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_API_PORT": str(port),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_REGISTER_BLOCKS_ON_START": "false",
            "PREFECT_SERVER_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
            "PREFECT_SERVER_DATABASE_MIGRATE_ON_START": str(not is_migrated).lower(),
            **{name: value for name, value in SETTINGS.items() if name.endswith(("BATCH_SIZE", "FLUSH_INTERVAL"))},
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5",
            "PENSTOCK_PROJECT": str(root),
            "PENSTOCK_HOME": str(root / "home"),
            "NO_PROXY": "*",
        }
        self.bin = Path(sys.executable).parent

    def command(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(self.bin / name), *arguments],
            cwd=self.root, env=self.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, log: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.root / log).open("ab") as output:
            return subprocess.Popen(
                [str(self.bin / "prefect"), *arguments],
                cwd=self.root, env=self.environment, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def start_worker(self) -> None:
        self.worker = self.start("worker.log", "worker", "start", "--pool", "penstock-local", "--type", "process")

    def kill_worker(self) -> None:
        """As when its machine dies."""
        assert self.worker is not None
        kill(self.worker)
        self.worker = None

    def write_pipeline(self, name: str, *, schedules: str = "", tables: tuple[str, ...] = NAMES) -> None:
        datasets = "".join(DATASET.format(table=f"{name}_{one}", path=one) for one in tables)
        path = self.root / "deployments" / "clients" / "acme" / f"{name}.yaml"
        path.write_text(PIPELINE.format(name=name, schedules=schedules) + datasets)

    def deploy(self, *arguments: str) -> dict[str, str]:
        """Deploys, and returns each deployment's action."""
        answer = json.loads(self.command("penstock", "deploy", "--json", *arguments))
        return {one["deployment"].removeprefix("acme/"): one["action"] for one in answer["deployments"]}

    def run_by_command(self, name: str, *arguments: str) -> str:
        output = self.command("prefect", "deployment", "run", f"acme/{name}", *arguments)
        found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", output)
        assert found, output
        return found[0]

    def run(self, name: str) -> str:
        """Starts a run as the button in Prefect's UI does."""
        deployment = self.ask("GET", f"/deployments/name/acme/{name}")
        return str(self.ask("POST", f"/deployments/{deployment['id']}/create_flow_run", {})["id"])

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Asks the API; again where its SQLite was being written, as Prefect's own client does."""
        answers: list[httpx.Response] = []

        def is_answered() -> bool:
            answers.append(self.http.request(method, self.url + path, json=body))
            return answers[-1].status_code != httpx.codes.SERVICE_UNAVAILABLE

        until(is_answered)
        return answers[-1].raise_for_status().json()

    def set_state(self, run_id: str, kind: str) -> None:
        self.ask("POST", f"/flow_runs/{run_id}/set_state", {"state": {"type": kind}, "force": kind == "CRASHED"})

    def state(self, run_id: str) -> tuple[str, str]:
        state = self.ask("GET", f"/flow_runs/{run_id}")["state"]
        return state["type"], state["message"] or ""

    def look_now(self, run_id: str) -> None:
        """Moves a waiting run's next look to this moment, as its deadline or its poll would."""
        state = {"type": "SCHEDULED", "name": "AwaitingFiles", "state_details": {"scheduled_time": now_text()}}
        self.ask("POST", f"/flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def processes_of_runs(self) -> list[int]:
        """Returns the processes that the worker has for runs."""
        assert self.worker is not None
        return [one.pid for one in psutil.Process(self.worker.pid).children(recursive=True) if one.is_running()]

    def wait(self, run_id: str, expected: str = "COMPLETED") -> str:
        ends = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
        until(lambda: self.state(run_id)[0] in ends, lambda: f"{self.state(run_id)}\n{self.log()}")
        kind, message = self.state(run_id)
        assert kind == expected, f"{message}\n{self.log()}"
        return message

    def log(self) -> str:
        return (self.root / "worker.log").read_text(errors="replace")[-4000:]

    def runs_of(self, name: str) -> list[dict[str, Any]]:
        return list(self.ask("POST", "/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}}))

    def count(self, table: str) -> tuple[int, int] | None:
        """Returns a table's rows and distinct ids; None where there is no table yet."""
        platform = read_platform("local", Project(self.root), connections=(), environment=self.environment)
        try:
            found = (
                Environment(platform).warehouse().query(f"select count(*), count(distinct id) from acme_bronze.{table}")
            )
        except PenstockError:
            return None
        return found.rows[0]  # type: ignore[no-any-return]

    def is_half_way(self, name: str) -> bool:
        """Whether a run has loaded its first table, and waits for the API to answer for its second."""
        asked = {request.path for request in self.api.log.requests()}
        return "/rest/beta" in asked and self.count(f"{name}_alpha") == ONE_DAY


def now_text() -> str:
    return datetime.now(UTC).isoformat()


def until(holds: Callable[[], bool], seen: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, seen()
        time.sleep(0.3)


@pytest.fixture(scope="module")
def notified() -> Iterator[list[str]]:
    """What a webhook receives."""
    received: list[str] = []

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        received.append(f"http://127.0.0.1:{server.server_address[1]}/")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield received
        server.shutdown()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, notified: list[str]) -> Iterator[Deployed]:
    """A server, a project on it, and a worker; one of the pipelines runs each minute by itself."""
    root = tmp_path_factory.mktemp("deployed")
    with serve(SandboxSettings(collections={name: hourly(name) for name in NAMES})) as api:
        (root / "prefect").mkdir()
        one = Deployed(root, api)
        server = one.start("server.log", "server", "start", "--host", "127.0.0.1")
        try:
            platform = root / "deployments" / "platforms" / "local.yaml"
            platform.parent.mkdir(parents=True)
            platform.write_text(PLATFORM.format(api=api.url))
            one.command("penstock", "new", "client", "acme")
            for name in ("byhand", "cancelled", "killed", "failing", "gone"):
                one.write_pipeline(name)
            (root / "deployments" / "clients" / "acme" / "late.yaml").write_text(LATE)
            (root / "home" / "drops").mkdir(parents=True)
            one.write_pipeline("minutely", schedules='{cron: "* * * * *"}', tables=("alpha",))
            until(lambda: is_up(one.url), (root / "server.log").read_text)
            save_webhook(one, notified.pop())
            assert set(one.deploy("--create-pool").values()) == {"create"}
            one.start_worker()
            yield one
        finally:
            one.http.close()
            for process in filter(None, (one.worker, server)):
                kill(process)


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def save_webhook(deployed: Deployed, url: str) -> None:
    script = (
        "import sys; from prefect.blocks.notifications import CustomWebhookNotificationBlock as Hook\n"
        "Hook(name='team', url=sys.argv[1], json_data={'text': '{{subject}}'}).save('team')"
    )
    subprocess.run([sys.executable, "-c", script, url], env=deployed.environment, check=True, capture_output=True)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and whatever it started, at once and without a word."""
    tree = psutil.Process(process.pid)
    for one in (tree, *tree.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    process.wait(timeout=PATIENCE_SECONDS)


@pytest.fixture
def slow_beta(deployed: Deployed) -> Iterator[None]:
    """The API answers for the second table only after a minute."""
    deployed.api.reset()
    deployed.api.faults.add(Fault(kind="slow", path="/rest/beta", delay_seconds=60, times=None))
    yield
    deployed.api.reset()


def test_a_schedule_fires_loads_once_and_leaves_no_run_behind_when_it_is_removed(deployed: Deployed) -> None:
    def states() -> set[str]:
        return {run["state"]["type"] for run in deployed.runs_of("minutely")}

    until(lambda: "COMPLETED" in states(), deployed.log)
    assert all(run["auto_scheduled"] for run in deployed.runs_of("minutely"))
    assert deployed.count("minutely_alpha") == ONE_DAY

    deployed.write_pipeline("minutely", tables=("alpha",))
    (deployed.root / "deployments" / "clients" / "acme" / "gone.yaml").unlink()
    actions = deployed.deploy("--prune")
    assert {name: action for name, action in actions.items() if action != "unchanged"} == {
        "minutely": "update", "gone": "prune",
    }  # fmt: skip
    assert states() <= {"COMPLETED", "RUNNING", "PENDING"}
    assert set(deployed.deploy("--prune", "--dry-run").values()) == {"unchanged"}


def test_a_run_by_hand_loads_yesterday_and_with_parameters_what_they_say(deployed: Deployed) -> None:
    deployed.wait(deployed.run_by_command("byhand"))
    for name in NAMES:
        assert deployed.count(f"byhand_{name}") == ONE_DAY

    window = {"kind": "interval", "timezone": "UTC", "start": "2026-03-01T00:00:00Z", "end": "2026-03-03T00:00:00Z"}
    parameters = ("--param", f"window={json.dumps(window)}", "--param", 'datasets=["byhand_alpha"]')
    deployed.wait(deployed.run_by_command("byhand", *parameters))
    assert deployed.count("byhand_alpha") == (3 * ROWS_A_DAY, 3 * ROWS_A_DAY)
    assert deployed.count("byhand_beta") == ONE_DAY


def test_a_run_that_was_cancelled_half_way_is_completed_by_the_next(deployed: Deployed, slow_beta: None) -> None:
    run = deployed.run("cancelled")
    until(lambda: deployed.is_half_way("cancelled"), deployed.log)
    deployed.set_state(run, "CANCELLING")
    deployed.wait(run, "CANCELLED")
    assert deployed.count("cancelled_beta") is None
    deployed.api.reset()
    deployed.wait(deployed.run("cancelled"))
    assert {request.path for request in deployed.api.log.requests()} == {"/rest/beta"}
    for name in NAMES:
        assert deployed.count(f"cancelled_{name}") == ONE_DAY


def test_a_run_whose_machine_died_half_way_is_completed_by_the_next(deployed: Deployed, slow_beta: None) -> None:
    run = deployed.run("killed")
    until(lambda: deployed.is_half_way("killed"), deployed.log)
    deployed.kill_worker()
    assert deployed.state(run)[0] == "RUNNING", "nobody could say that it ended"
    assert deployed.count("killed_beta") is None
    deployed.api.reset()
    deployed.set_state(run, "CRASHED")  # or the next run waits until the dead one's place is free, 5 minutes on
    deployed.start_worker()
    deployed.wait(deployed.run("killed"))
    assert {request.path for request in deployed.api.log.requests()} == {"/rest/beta"}
    for name in NAMES:
        assert deployed.count(f"killed_{name}") == ONE_DAY


def test_a_run_that_failed_says_why_and_the_team_is_told(deployed: Deployed, notified: list[str]) -> None:
    deployed.api.reset()
    deployed.api.faults.add(Fault(kind="server_error", path="/rest/beta", status=403, times=None))
    message = deployed.wait(deployed.run("failing"), "FAILED")
    deployed.api.reset()
    assert "failing_beta" in message
    assert deployed.count("failing_alpha") == ONE_DAY
    until(lambda: any("failing" in text for text in notified), lambda: str(notified))


def test_a_run_frees_its_worker_until_its_file_has_come_and_reads_the_day_of_its_schedule(
    deployed: Deployed, notified: list[str]
) -> None:
    scheduled_at = datetime.now(UTC)
    run = deployed.run("late")
    until(lambda: deployed.ask("GET", f"/flow_runs/{run}")["state"]["name"] == "AwaitingFiles", deployed.log)
    waiting = deployed.ask("GET", f"/flow_runs/{run}")
    assert waiting["state"]["type"] == "SCHEDULED"
    assert "late: 0 of 1 file found" in waiting["state"]["message"]
    again_at = datetime.fromisoformat(waiting["state"]["state_details"]["scheduled_time"])
    assert again_at >= scheduled_at + timedelta(minutes=30)
    until(lambda: not deployed.processes_of_runs(), deployed.log)

    # Of this deployment one run may be under way; one that waits is not. This one's deadline is long gone.
    notified.clear()
    missed = deployed.run_by_command("late", "--start-at", (scheduled_at - timedelta(days=30)).isoformat())
    message = deployed.wait(missed, "FAILED")
    assert "the files that the dataset waits for have not come" in message
    assert "found=0, minimum_files=1, deadline=1h" in message
    until(lambda: any("late" in text for text in notified), lambda: str(notified))

    folder = deployed.root / "home" / "drops" / f"{scheduled_at - timedelta(days=1):%Y%m%d}"
    folder.mkdir()
    (folder / "orders.csv").write_text("id\n1\n2\n")
    deployed.look_now(run)
    deployed.wait(run)
    assert deployed.count("late") == (2, 2)
    ended = deployed.ask("GET", f"/flow_runs/{run}")
    assert ended["expected_start_time"] == waiting["expected_start_time"]
    assert ended["run_count"] == 2
