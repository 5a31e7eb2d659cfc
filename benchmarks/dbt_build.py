"""The transform subflow beside bare `dbt build` of the same selection; the goal is at most 1.15 times and 2 s more.

Bronze of every example client is filled once. Both build over the same warehouse, in turn, each with a parse state of
its own that an unmeasured build has left: the dbt project is not parsed anew. Bare dbt is a whole process; of the
subflow, the time inside its parent's flow run is told, and beside it how long the run then waits for Prefect's API.
Processor time, dbt's and the run's own, says more than the clock where other work runs beside.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import httpx

from benchmarks.measuring import print_line, run_measured
from benchmarks.projects import write_project

BIN = Path(sys.executable).parent
DBT = Path(__file__).parents[1] / "dbt"
SELECTIONS = {"small": ("source:orbit_datadog_slo+",), "all": ("path:models", "path:snapshots")}
RATIO, SECONDS = 1.15, 2.0
RECORDED_SECONDS = 30.0


class Round(NamedTuple):
    """One build.

    Args:
        seconds: By the clock.
        work_seconds: Of processor time.
        peak_mb: Of all processes together, Prefect's server apart.
        nodes: How many were built.
        told_seconds: What the run waits afterwards until Prefect's API has all that it was told.
        before_mb: What the flow's process had when the subflow began.
    """

    seconds: float
    work_seconds: float
    peak_mb: float
    nodes: int
    told_seconds: float = 0.0
    before_mb: float = 0.0


def timed(selectors: Sequence[str]) -> None:
    """Runs the transform as the subflow of a flow run in this process, and prints how that went."""
    import psutil
    from prefect import flow

    from deployments.running import prefect_api
    from flows.local_server import ensure_server
    from flows.transform_flow import run_transform
    from tasks.dbt_runner.contract import DbtSelection
    from tasks.definitions.project import find_project
    from tasks.environment import current_environment
    from tasks.transform import TransformRequest

    project = find_project()
    request = TransformRequest(
        client="bench", pipeline="bench", run_id="bench", selection=DbtSelection(select=tuple(selectors))
    )

    @flow(name="bench")
    def parent(pipeline: str) -> tuple[float, float, float, int]:  # noqa: ARG001 - as a run's flow has parameters
        # A run has opened the warehouse before dbt does.
        current_environment(project, connections=()).warehouse().migrate()
        before = psutil.Process().memory_info().rss / 2**20
        began, worked = time.perf_counter(), work_seconds()
        report = run_transform(request)
        if report.outcome != "built":
            raise SystemExit(f"{report.outcome}: {report.error}")
        return time.perf_counter() - began, work_seconds() - worked, before, len(report.nodes)

    with prefect_api(project):
        seconds, work, before, nodes = parent("bench")
        ended = time.perf_counter()
    told = time.perf_counter() - ended
    shown = _shown(ensure_server(project.home).api_url, nodes)
    print(f"RESULT {seconds} {work} {told} {before} {nodes} {shown}")


def work_seconds() -> float:
    """Returns the processor time of this process and of its children that have ended."""
    return time.process_time() + children_seconds()


def children_seconds() -> float:
    """Returns the processor time of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _shown(api_url: str, expected: int) -> int:
    """Returns how many nodes the newest transform has as task runs, which the server records after it was told."""
    deadline = time.monotonic() + RECORDED_SECONDS
    with httpx.Client(base_url=f"{api_url}/", timeout=30) as client:
        asked = {"flows": {"name": {"any_": ["transform"]}}, "sort": "START_TIME_DESC", "limit": 1}
        newest = client.post("flow_runs/filter", json=asked).raise_for_status().json()[0]["id"]
        nodes = {"flow_runs": {"id": {"any_": [newest]}}, "task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
        while True:
            # One of them is the task that runs dbt.
            shown = int(client.post("task_runs/count", json=nodes).raise_for_status().json()) - 1
            if shown >= expected or time.monotonic() > deadline:
                return shown
            time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dbt_build", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--selection", choices=SELECTIONS, action="append", help="only this; both without any")
    parser.add_argument("--timed", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.timed:
        timed(arguments.timed)
        return
    with tempfile.TemporaryDirectory(dir=os.environ.get("PENSTOCK_BENCH_DATA")) as folder:
        environment = _project(Path(folder))
        _ensure_server(environment)
        try:
            _bare(SELECTIONS["all"], environment)  # small selections read tables that others build
            for name in arguments.selection or SELECTIONS:
                _compare(name, SELECTIONS[name], environment, arguments.rounds)
        finally:
            _stop_server(environment)


def _project(root: Path) -> dict[str, str]:
    environment = write_project(
        root,
        connections=f'drops: {{kind: folder, path: "{root}"}}',
        pipeline="source: {kind: s3_files, connection: drops}\nwindow: {kind: full}\n"
        "load_strategy: {kind: append}\ndatasets: [{name: d, glob: 'd.csv'}]\n",
    )
    platform = root / "deployments" / "platforms" / "local.yaml"
    text = platform.read_text().replace("{target: duckdb}", f'{{target: duckdb, project_dir: "{DBT}"}}')
    platform.write_text(text, encoding="utf-8")
    home = Path(environment["PENSTOCK_HOME"])
    home.mkdir()
    began = time.perf_counter()
    _fill(home / "warehouse.duckdb", root / "filling")
    print_line("filling bronze", time.perf_counter() - began)
    return {**environment, "PENSTOCK_WAREHOUSE_PATH": str(home / "warehouse.duckdb")}


def _fill(warehouse: Path, folder: Path) -> None:
    from tests.models.ai_bronze import fill_ai_bronze
    from tests.models.bronze import fill_bronze
    from tests.models.contact_centre_bronze import fill_contact_centre
    from tests.models.ops_bronze import fill_operations
    from tests.models.shop_bronze import fill_shop

    folder.mkdir()
    fill_bronze(warehouse)
    fill_operations(warehouse, folder / "lake")
    fill_shop(warehouse, folder / "lake")
    fill_ai_bronze(warehouse)
    fill_contact_centre(warehouse, folder)


def _compare(name: str, selectors: Sequence[str], environment: dict[str, str], rounds: int) -> None:
    measures = {"dbt build": _bare, "the transform subflow": _subflow}
    _subflow(selectors, environment)
    results: dict[str, list[Round]] = {what: [] for what in measures}
    for number in range(rounds):
        for what in list(measures)[:: -1 if number % 2 else 1]:
            results[what].append(measures[what](selectors, environment))
    bare, ours = results.values()
    if bare[0].nodes != ours[0].nodes:
        raise SystemExit(f"{name}: dbt built {bare[0].nodes} nodes, the subflow {ours[0].nodes}")
    print(f"{name}: {ours[0].nodes} nodes, the median of {rounds} rounds in turn, warm partial parse")
    for what, found in results.items():
        print_line(what, _median(found, "seconds"), max(one.peak_mb for one in found))
        clock, work = (", ".join(f"{getattr(one, kind):.2f}" for one in found) for kind in ("seconds", "work_seconds"))
        print(f"    rounds: {clock} s; processor: {work} s", flush=True)
    print(f"    the flow's process had {ours[0].before_mb:.0f} MB when the subflow began")
    print(f"    afterwards the run waits {_median(ours, 'told_seconds'):.2f} s for Prefect's API")
    _judge("clock", _median(bare, "seconds"), _median(ours, "seconds"))
    _judge("processor", _median(bare, "work_seconds"), _median(ours, "work_seconds"))


def _median(rounds: Sequence[Round], kind: str) -> float:
    return statistics.median(getattr(one, kind) for one in rounds)


def _judge(kind: str, floor: float, ours: float) -> None:
    goal = RATIO * floor + SECONDS
    verdict = f"{RATIO} x + {SECONDS:.0f} s = {goal:.2f} s {'holds' if ours <= goal else 'does NOT hold'}"
    print(f"    {kind}: {ours / floor:.2f} times, {ours - floor:+.2f} s; {verdict}", flush=True)


def _bare(selectors: Sequence[str], environment: dict[str, str]) -> Round:
    state = Path(environment["PENSTOCK_HOME"]).parent / "bare"
    places = ["--project-dir", DBT, "--profiles-dir", DBT, "--target-path", state / "target", "--log-path", state]
    command = [str(BIN / "dbt"), "build", *map(str, places), "--target", "duckdb"]
    command += ["--exclude-resource-type", "unit_test", "--select", *selectors]
    before = children_seconds()
    measured = run_measured(command, {**environment, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"})
    work = children_seconds() - before
    return Round(measured.seconds, work, measured.peak_mb, int(measured.output.rsplit("TOTAL=", 1)[1].split()[0]))


def _subflow(selectors: Sequence[str], environment: dict[str, str]) -> Round:
    command = [sys.executable, "-m", "benchmarks.dbt_build", "--timed", *selectors]
    measured = run_measured(command, environment)
    seconds, work, told, before, nodes, shown = map(float, measured.output.split("RESULT ")[1].split())
    if shown != nodes:
        raise SystemExit(f"{nodes:.0f} nodes were built, Prefect shows {shown:.0f} of them as completed")
    return Round(seconds, work, measured.peak_mb, int(nodes), told, before)


def _ensure_server(environment: dict[str, str]) -> None:
    start = "from flows.local_server import ensure_server; from pathlib import Path; "
    start += f"ensure_server(Path({environment['PENSTOCK_HOME']!r}))"
    run_measured([sys.executable, "-c", start], environment)


def _stop_server(environment: dict[str, str]) -> None:
    stop = "from flows.local_server import stop_server; from pathlib import Path; "
    run_measured([sys.executable, "-c", f"{stop}stop_server(Path({environment['PENSTOCK_HOME']!r}))"], environment)


if __name__ == "__main__":
    main()
