"""A hundred small datasets in one run, beside the same work without Prefect; the goal is 150 ms of overhead each."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measuring import print_line, run_measured
from benchmarks.projects import write_project

COUNT = 100


def timed(how: str) -> None:
    """Lands the datasets in this process, by the flow or by plain calls, and prints how long that took."""
    from tasks.definitions.project import find_project
    from tasks.definitions.reading import find_pipeline, read_pipeline

    project = find_project()
    spec = read_pipeline(find_pipeline("bench", project))
    if how == "flow":
        from deployments.running import run_flow

        report = run_flow(project, spec, {"pipeline": "bench"}).report
        loaded = [one for one in report.datasets if one.outcome == "loaded"]
        rows, seconds = (
            sum(one.result.rows_landed for one in loaded if one.result),
            (report.finished_at - report.started_at).total_seconds(),
        )
    else:
        rows, seconds = _plain(project, spec)
    print(f"RESULT {rows} {seconds}")


def _plain(project: object, spec: object) -> tuple[int, float]:
    from datetime import UTC, datetime

    from penstock.plan import RunRequest, decide
    from tasks.definitions.reading import read_platform
    from tasks.environment import Environment
    from tasks.extract import extract_dataset
    from tasks.load import load_staged
    from tasks.stage import stage_extraction

    began = time.perf_counter()
    environment = Environment(read_platform("local", project))
    environment.warehouse().migrate()
    rows = 0
    request = RunRequest(pipeline="bench", scheduled_at=datetime.now(UTC), run_id="plain")
    for plan in decide(spec, request, {}):
        extraction = extract_dataset(plan, environment)
        staged = stage_extraction(plan, extraction, environment)
        rows += load_staged(plan, extraction, staged, environment).rows_landed
    return rows, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timed", choices=("flow", "plain"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.timed:
        timed(arguments.timed)
        return
    results = {how: _measure(how) for how in ("plain", "flow")}
    print(f"{COUNT} small datasets (10 rows of CSV each) into DuckDB")
    print_line("the same work without Prefect, one after the other", *results["plain"])
    print_line("the flow", *results["flow"])
    overhead = (results["flow"][0] - results["plain"][0]) / COUNT * 1000
    print(f"  overhead {overhead:.0f} ms each; {results['flow'][0] / COUNT * 1000:.0f} ms each in all")


def _measure(how: str) -> tuple[float, float]:
    datasets = "\n".join(f"  - {{name: d{n:03}, glob: 'd{n:03}.csv'}}" for n in range(COUNT))
    with tempfile.TemporaryDirectory(dir=os.environ.get("PENSTOCK_BENCH_DATA")) as folder:
        root = Path(folder)
        drops = root / "drops"
        drops.mkdir()
        for number in range(COUNT):
            lines = [f"{row},name {row}" for row in range(10)]
            (drops / f"d{number:03}.csv").write_text("\n".join(["id,name", *lines, ""]), encoding="utf-8")
        environment = write_project(
            root,
            connections=f'drops: {{kind: folder, path: "{drops}"}}',
            pipeline="source: {kind: s3_files, connection: drops}\nwindow: {kind: full}\n"
            f"load_strategy: {{kind: append}}\ndatasets:\n{datasets}\ntransform: {{select: none}}\n",
        )
        measured = run_measured([sys.executable, "-m", "benchmarks.many_datasets", "--timed", how], environment)
        home = environment["PENSTOCK_HOME"]
        stop = f"from flows.local_server import stop_server; from pathlib import Path; stop_server(Path({home!r}))"
        run_measured([sys.executable, "-c", stop], environment)
    rows, seconds = measured.output.split("RESULT ")[1].split()[:2]
    if int(rows) != COUNT * 10:
        raise SystemExit(f"{how}: {rows} rows landed")
    return float(seconds), measured.peak_mb


if __name__ == "__main__":
    main()
