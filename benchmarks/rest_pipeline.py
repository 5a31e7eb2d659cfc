"""A REST API's million nested records into DuckDB bronze, the whole pipeline, beside fetching and parsing alone.

The goal is three times the floor and 400 MB: extract, stage, load, ledger, under Prefect. The API is another process.
The command's own start (Python, Prefect's import) and the Prefect server's are told apart: a worker pays them once.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import print_line, run_measured
from benchmarks.projects import write_project

PAGES = 1_000
PIPELINE = """
source: {kind: rest, connection: api}
window: {kind: full}
load_strategy: {kind: full_refresh}
datasets:
  - {name: records, path: /records, records: data, total: meta.total, paging: {kind: page_number, size: 1000}}
transform: {select: none}
"""


def timed_run(parameters: dict[str, object]) -> None:
    """Runs the pipeline twice in this process and prints the second, which has all its imports behind it."""
    import resource
    import time

    from deployments.running import run_flow
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import find_pipeline, read_pipeline

    project = find_project()
    spec = read_pipeline(find_pipeline("bench", project))
    began = time.perf_counter()
    report = run_flow(project, spec, parameters).report
    seconds = time.perf_counter() - began
    landed = sum(one.result.rows_landed for one in report.datasets if one.result)
    inside = (report.finished_at - report.started_at).total_seconds()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if not report.is_green:
        raise SystemExit(report.summary())
    print(f"RESULT {landed} {inside} {seconds} {peak}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--timed-run", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.timed_run:
        timed_run({"pipeline": "bench"})
        return
    extract = [sys.executable, "benchmarks/rest_extract.py", "--pages", str(arguments.pages)]
    with subprocess.Popen([*extract, "--serve"], stdout=subprocess.PIPE, text=True) as server:
        try:
            port = server.stdout.readline().strip()
            floor = run_measured([*extract, "--port", port, "--measure", "floor"])
            compare(port, floor.output, arguments.pages)
        finally:
            server.terminate()


def compare(port: str, floor_output: str, pages: int) -> None:
    """Runs the pipeline in a fresh project with a Prefect server that is already up, and prints both sides."""
    import json

    floor = json.loads(floor_output)
    with tempfile.TemporaryDirectory(dir=os.environ.get("PENSTOCK_BENCH_DATA")) as folder:
        root = Path(folder)
        environment = write_project(
            root, connections=f'api: {{kind: rest, base_url: "http://127.0.0.1:{port}"}}', pipeline=PIPELINE
        )
        home = Path(environment["PENSTOCK_HOME"])
        server = "from flows.local_server import {0}; from pathlib import Path; {0}(Path('" + str(home) + "'))"
        run_measured([sys.executable, "-c", server.format("ensure_server")], environment)
        try:
            ours = run_measured([sys.executable, "-m", "benchmarks.rest_pipeline", "--timed-run"], environment)
        finally:
            run_measured([sys.executable, "-c", server.format("stop_server")], environment)
    rows, inside, whole, peak = ours.output.split("RESULT ")[1].split()[:4]
    if int(rows) != pages * 1_000:
        raise SystemExit(f"{rows} rows landed")
    print(f"REST to DuckDB, {int(rows):,} nested records")
    print_line("floor: httpx + orjson, fetch and parse", floor["seconds"], floor["peak_mb"])
    print_line("ours: the flow's body (extract, stage, load, report)", float(inside), float(peak))
    print_line("ours: with Prefect's import and the flow run around it", float(whole), float(peak))
    print(f"  ratio {float(inside) / floor['seconds']:.2f} (body), {float(whole) / floor['seconds']:.2f} (all)")


if __name__ == "__main__":
    main()
