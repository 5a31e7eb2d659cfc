"""Deploys many pipelines to a Prefect server, first and unchanged, beside `prefect deploy --all` on one prefect.yaml.

Each has a new server (`prefect server start`, SQLite, all of its services), and is a whole command with its start.
The floor sends the bodies of the same deployments, and does nothing else. Processor time, of the command and of the
server meanwhile, says more than the clock where other work runs beside.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from benchmarks.measuring import print_line, run_measured
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
BUSY = 503
SENT = (
    "flow_id", "version", "description", "tags", "entrypoint", "parameters", "parameter_openapi_schema",
    "enforce_parameter_schema", "pull_steps", "work_pool_name", "job_variables", "concurrency_options",
)  # fmt: skip


class Deployed(NamedTuple):
    """One command: by the clock, and in seconds of processor time."""

    seconds: float
    command_seconds: float
    server_seconds: float

    @property
    def work_seconds(self) -> float:
        """What both sides did."""
        return self.command_seconds + self.server_seconds


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
        clock, work = their.seconds / our.seconds, their.work_seconds / our.work_seconds
        print(f"  {which}: {clock:.1f} times as fast by the clock, {work:.1f} times in processor time")


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


def measure(name: str, root: Path, command: list[str], environment: dict[str, str]) -> tuple[Deployed, Deployed]:
    with server(root / name.split(maxsplit=1)[0]) as (url, process):
        here = {**environment, "PREFECT_API_URL": url, "PREFECT_HOME": str(root / "client")}
        run_measured([str(BIN / "prefect"), "work-pool", "create", "--type", "process", "bench"], here)
        first = run_beside(process, f"{name}, first", command, here)
        second = run_beside(process, f"{name}, unchanged", command, here)
        if name.startswith("penstock"):
            floor(url, process)
    return first, second


def run_beside(server: psutil.Process, name: str, command: list[str], environment: dict[str, str]) -> Deployed:
    before, own_before = processor_seconds(server), children_seconds()
    done = run_measured(command, environment)
    measured = Deployed(done.seconds, children_seconds() - own_before, processor_seconds(server) - before)
    print_line(name, done.seconds, done.peak_mb)
    print(
        f"    processor: command {measured.command_seconds:.1f} s, server {measured.server_seconds:.1f} s", flush=True
    )
    return measured


def floor(url: str, server: psutil.Process) -> None:
    """Sends every deployment that the server has once more, under another name, as it is sent first."""
    with httpx.Client(base_url=f"{url}/", timeout=120) as client:
        found = client.post("deployments/filter", json={"limit": 200}).raise_for_status().json()
        before, began, refused = processor_seconds(server), time.perf_counter(), 0
        for one in found:
            schedules = [
                {key: schedule[key] for key in ("schedule", "active", "slug")} for schedule in one["schedules"]
            ]
            body = {key: one[key] for key in SENT} | {"name": f"{one['name']}-floor", "schedules": schedules}
            while client.post("deployments/", json={**body, "concurrency_limit": 1}).status_code == BUSY:
                refused += 1
    print_line(f"the {len(found)} requests alone ({refused} refused)", time.perf_counter() - began)
    print(f"    processor: server {processor_seconds(server) - before:.1f} s", flush=True)


def processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def children_seconds() -> float:
    """Returns the processor time of the commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextlib.contextmanager
def server(home: Path) -> Iterator[tuple[str, psutil.Process]]:
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
        yield url, psutil.Process(process.pid)
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
