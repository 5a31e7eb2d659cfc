"""Deploys many pipelines to a Prefect server, first and unchanged, beside `prefect deploy --all` on one prefect.yaml.

Each has a new server (`prefect server start`, SQLite, all of its services), and is a whole command with its start.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Measured, print_line, run_measured
from benchmarks.projects import write_project
from flows.local_server_schema import prepare_database

BIN = Path(sys.executable).parent
CONNECTIONS = 'api: {kind: rest, base_url: "http://127.0.0.1:9"}'
PIPELINE = """\
source: {{kind: rest, connection: api}}
window: {{kind: full}}
load_strategy: {{kind: full_refresh}}
datasets: [{{name: things_{number}, path: /things}}]
schedules: [{{cron: "0 6 * * *", timezone: America/New_York}}]
"""
START_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deploy", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many deployments")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        environment = write_pipelines(root, count)
        run_measured([str(BIN / "penstock"), "compile"], environment)
        ours = measure("penstock deploy", root, [str(BIN / "penstock"), "deploy"], environment)
        all_of_it = f"cd {root} && exec {BIN / 'prefect'} --no-prompt deploy --all"
        theirs = measure("prefect deploy --all", root, ["bash", "-c", all_of_it], environment)
    for which, (our, their) in {"first": (ours[0], theirs[0]), "unchanged": (ours[1], theirs[1])}.items():
        print(f"  {which}: {their.seconds / our.seconds:.1f} times as fast")


def write_pipelines(root: Path, count: int) -> dict[str, str]:
    environment = write_project(root, connections=CONNECTIONS, pipeline=PIPELINE.format(number="none"))
    platform = root / "deployments" / "platforms" / "local.yaml"
    platform.write_text(platform.read_text() + "project: bench\nwork_pool: bench\n")
    clients = root / "deployments" / "clients" / "bench"
    (clients / "bench.yaml").unlink()
    for number in range(count):
        head = f"version: 1\npipeline: p{number}\nclient: bench\n"
        (clients / f"p{number}.yaml").write_text(head + PIPELINE.format(number=number))
    return environment


def measure(name: str, root: Path, command: list[str], environment: dict[str, str]) -> tuple[Measured, Measured]:
    with server(root / name.split(maxsplit=1)[0]) as url:
        here = {**environment, "PREFECT_API_URL": url, "PREFECT_HOME": str(root / "client")}
        run_measured([str(BIN / "prefect"), "work-pool", "create", "--type", "process", "bench"], here)
        first, second = run_measured(command, here), run_measured(command, here)
    print_line(f"{name}, first", first.seconds, first.peak_mb)
    print_line(f"{name}, unchanged", second.seconds, second.peak_mb)
    return first, second


@contextlib.contextmanager
def server(home: Path) -> Iterator[str]:
    home.mkdir()
    prepare_database(home / "prefect.db")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(BIN / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **own}, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}/api"
    try:
        wait_for(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}/health", timeout=5).close()  # noqa: S310 - our own server
            return
        time.sleep(0.3)
    raise SystemExit("the Prefect server did not start")


if __name__ == "__main__":
    main()
