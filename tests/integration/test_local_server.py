"""The local Prefect server: real processes, a real Prefect API and a real SQLite database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.local_server import configured_api_url, ensure_server, server_status, stop_server
from flows.local_server_files import LocalServer, ServerFiles
from penstock.errors import ConfigurationError, TransientError
from sandbox.prefect_harness import prefect_api

pytestmark = pytest.mark.timeout(120)

SOURCE_ROOT = Path(__file__).resolve().parents[2]
# Longer than a loaded machine needs to import Prefect between starting a server and using it.
SHORT_IDLE_SECONDS = 5.0
STARTING = """
import json, pathlib, sys
from flows.local_server import ensure_server
server = ensure_server(pathlib.Path(sys.argv[1]), use_configured=False)
print(json.dumps([server.pid, server.started]))
"""
HOLDING = """
import pathlib, sys, time
from filelock import FileLock
from flows.local_server_files import ServerFiles
files = ServerFiles(pathlib.Path(sys.argv[1]))
files.folder.mkdir()
with FileLock(files.alive_lock):
    print("holding", flush=True)
    time.sleep(300)
"""
ASKING = """
import sys
from flows.local_server import configured_api_url
print(configured_api_url(), "prefect" in sys.modules)
"""


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose last server died without a word, shared by the tests that need a server to look at."""
    home = tmp_path_factory.mktemp("laptop") / ".penstock"
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    record_server(home, pid=dead.pid, version=version("prefect"))
    yield home
    stop_server(home)


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.Popen[str], LocalServer]]:
    """A home where a server of an older Prefect ran, that older server, and the short-lived one that followed it."""
    home = tmp_path_factory.mktemp("upgraded") / ".penstock"
    home.mkdir()
    older = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(home)], cwd=SOURCE_ROOT, stdout=subprocess.PIPE, text=True
    )
    with older:
        assert older.stdout
        assert older.stdout.readline() == "holding\n"
        record_server(home, pid=older.pid, version="3.0.0")
        yield home, older, ensure_server(home, use_configured=False, idle_seconds=SHORT_IDLE_SECONDS)
        older.kill()
    stop_server(home)


def record_server(home: Path, *, pid: int, version: str) -> None:
    files = ServerFiles(home)
    files.folder.mkdir(parents=True, exist_ok=True)
    files.write_record(LocalServer(api_url="http://127.0.0.1:9/api", port=9, pid=pid, version=version))


def start_in_new_process(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STARTING, str(home)], cwd=SOURCE_ROOT, stdout=subprocess.PIPE, text=True
    )


def outcome(process: subprocess.Popen[str]) -> tuple[int, bool]:
    """Returns the server's process and whether the finished process started it."""
    output, _ = process.communicate(timeout=90)
    pid, started = json.loads(output)
    return pid, started


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while not (reached := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return reached


def test_two_runs_at_once_start_one_server_in_place_of_a_dead_one_and_it_outlives_both(laptop: Path) -> None:
    runs = [start_in_new_process(laptop), start_in_new_process(laptop)]
    outcomes = [outcome(run) for run in runs]
    reused = ensure_server(laptop, use_configured=False)

    assert sorted(started for _, started in outcomes) == [False, True]
    assert {pid for pid, _ in outcomes} == {reused.pid}
    assert not reused.started
    assert server_status(laptop) == reused
    assert httpx.get(f"{reused.api_url}/health").json() is True


def test_the_user_interface_is_served_beside_the_api(laptop: Path) -> None:
    server = ensure_server(laptop, use_configured=False)

    page = httpx.get(server.ui_url, headers={"Accept": "text/html"}, follow_redirects=True)
    settings = httpx.get(f"{server.ui_url}/ui-settings").json()

    assert "<html" in page.text
    assert settings["api_url"] == server.api_url


def test_a_killed_server_is_seen_as_gone_although_its_record_remains(laptop: Path) -> None:
    pid = ensure_server(laptop, use_configured=False).pid
    assert pid
    os.kill(pid, signal.SIGKILL)

    assert wait_until(lambda: not ServerFiles(laptop).server_is_alive(), timeout_seconds=5)
    assert ServerFiles(laptop).record.exists()
    assert server_status(laptop) is None
    assert stop_server(laptop) is False


def test_a_server_of_another_prefect_version_is_stopped_and_replaced(
    upgraded: tuple[Path, subprocess.Popen[str], LocalServer],
) -> None:
    _, older, server = upgraded

    assert older.wait(timeout=5) == -signal.SIGTERM
    assert server.started
    assert server.version == version("prefect")


LONG_RUN = """
import sys, time
from pathlib import Path
from flows.local_server import local_prefect, server_status

home, idle = Path(sys.argv[1]), float(sys.argv[2])
with local_prefect(home, use_configured=False, idle_seconds=idle, logging_level="WARNING") as server:
    from prefect import flow, task

    @task
    def compute():
        time.sleep(2 * idle)

    @flow
    def long_run():
        compute.submit().result()

    long_run()
    still_up = server_status(home)
assert still_up and still_up.pid == server.pid, (still_up, server)
"""


def test_a_server_stays_for_a_task_longer_than_its_idle_time_and_stops_after_it(
    upgraded: tuple[Path, subprocess.Popen[str], LocalServer],
) -> None:
    home = upgraded[0]
    # A process of its own, as every command is: Prefect keeps one connection for events a process, to its first server.
    script = [sys.executable, "-c", LONG_RUN, str(home), str(SHORT_IDLE_SECONDS)]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert wait_until(lambda: not ServerFiles(home).server_is_alive(), timeout_seconds=20)
    assert not ServerFiles(home).record.exists()


def test_the_harness_records_flow_and_task_runs_and_leaves_no_server(tmp_path: Path) -> None:
    from prefect import flow, task

    @task(persist_result=True)
    def double(number: int) -> int:
        if number == 3:
            raise ArithmeticError
        return 2 * number

    @flow(name="doubling")
    def doubling() -> list[int]:
        futures = [double.with_options(task_run_name=f"double-{n}").submit(n) for n in (1, 2, 3)]
        return [future.result(raise_on_failure=False) for future in futures[:2]]

    with prefect_api(tmp_path) as server:
        started_at = time.monotonic()
        assert doubling() == [2, 4]
        run_seconds = time.monotonic() - started_at
        expected = {"double-1": "COMPLETED", "double-2": "COMPLETED", "double-3": "FAILED"}
        assert wait_until(lambda: states(server.api_url, "task_runs") == expected, timeout_seconds=20)
        assert list(states(server.api_url, "flow_runs").values()) == ["COMPLETED"]

    # With heartbeats every flow run would end with a wait of a second, counted from its start.
    assert run_seconds < 10
    assert any(ServerFiles(tmp_path).folder.joinpath("storage").iterdir())
    assert server_status(tmp_path) is None
    assert not ServerFiles(tmp_path).server_is_alive()


def states(api_url: str, kind: str) -> dict[str, str]:
    rows: list[dict[str, Any]] = httpx.post(f"{api_url}/{kind}/filter", json={}).raise_for_status().json()
    return {row["name"]: row["state_type"] for row in rows}


def test_a_server_that_cannot_start_is_reported_with_its_log(tmp_path: Path) -> None:
    files = ServerFiles(tmp_path)
    files.folder.mkdir()
    files.database.write_text("this is no database, although it has the name of one")

    with pytest.raises(ConfigurationError) as raised:
        ensure_server(tmp_path, use_configured=False)

    assert raised.value.log == str(files.log)
    assert raised.value.exit_code == 1
    assert "file is not a database" in files.log.read_text()
    assert stop_server(tmp_path) is False


def test_a_server_that_is_too_slow_is_reported_and_ended(tmp_path: Path) -> None:
    files = ServerFiles(tmp_path)

    with pytest.raises(TransientError) as raised:
        ensure_server(tmp_path, use_configured=False, timeout_seconds=0.4)

    assert raised.value.log == str(files.log)
    assert wait_until(lambda: not files.server_is_alive(), timeout_seconds=5)


def test_a_process_that_only_has_the_recorded_number_is_left_alone(tmp_path: Path) -> None:
    files = ServerFiles(tmp_path)
    files.folder.mkdir()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        files.record.write_text(json.dumps({"api_url": "http://127.0.0.1:9/api", "pid": stranger.pid, "port": 9}))

        assert server_status(tmp_path) is None
        assert stop_server(tmp_path) is False
        assert stranger.poll() is None
        stranger.kill()


def test_an_api_named_by_the_environment_is_used_and_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")

    server = ensure_server(tmp_path / "home")

    assert (server.api_url, server.is_ours) == ("http://127.0.0.1:9/api", False)
    assert configured_api_url() == server.api_url
    assert not (tmp_path / "home").exists()


def test_an_api_named_by_the_active_profile_is_found(tmp_path: Path) -> None:
    profile = 'active = "team"\n[profiles.team]\nPREFECT_API_URL = "http://127.0.0.1:9/api"\n'
    (tmp_path / "profiles.toml").write_text(profile)

    assert ask_settings(tmp_path) == ["http://127.0.0.1:9/api", "True"]


def test_prefect_is_not_imported_where_no_settings_file_can_name_an_api(tmp_path: Path) -> None:
    assert ask_settings(tmp_path) == ["None", "False"]


def ask_settings(prefect_home: Path) -> list[str]:
    """Returns, from a process of its own, the configured API and whether Prefect had to be imported to know it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    answer = subprocess.run(
        [sys.executable, "-c", ASKING],
        env={**environment, "PREFECT_HOME": str(prefect_home), "PYTHONPATH": str(SOURCE_ROOT)},
        cwd=prefect_home,
        check=True,
        capture_output=True,
        text=True,
    )
    return answer.stdout.split()
