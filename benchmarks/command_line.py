"""`penstock --help` (goal 0.5 s) and `penstock validate` over 500 pipelines (goal 3 s), beside Python's own start."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import Measured, print_line, run_measured
from benchmarks.projects import write_project

ROUNDS = 5
PIPELINES = 500
PIPELINE = """version: 1
pipeline: {name}
client: bench
source: {{kind: rest, connection: api}}
window: {{kind: daily, timezone: America/New_York}}
load_strategy: {{kind: incremental, keys: [id]}}
datasets:
  - {{name: orders, table: orders_{number}, path: /orders, window_parameters: {{start: since, end: until}}}}
  - {{name: refunds, table: refunds_{number}, path: /refunds, window_parameters: {{start: since, end: until}}}}
  - {{name: customers, table: customers_{number}, path: /customers, window_parameters: {{start: since, end: until}}}}
schedules: [{{cron: "0 6 * * *", timezone: America/New_York}}]
"""


def best(command: list[str], environment: dict[str, str] | None = None) -> Measured:
    """Runs a command a few times and returns the quickest."""
    return min((run_measured(command, environment) for _ in range(ROUNDS)), key=lambda one: one.seconds)


def main() -> None:
    penstock = str(Path(sys.executable).with_name("penstock"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        environment = write_project(
            root, connections='api: {kind: rest, base_url: "http://127.0.0.1:1"}', pipeline="invalid: true\n"
        )
        clients = root / "deployments" / "clients" / "bench"
        (clients / "bench.yaml").unlink()
        for number in range(PIPELINES):
            name = f"bench-{number:03}"
            (clients / f"{name}.yaml").write_text(PIPELINE.format(name=name, number=number), encoding="utf-8")
        results = {
            "floor: python -c pass": best([sys.executable, "-c", "pass"]),
            "penstock --help": best([penstock, "--help"]),
            f"penstock validate, {PIPELINES} pipelines": best([penstock, "validate"], environment),
        }
    print(f"Command line, best of {ROUNDS}")
    for name, measured in results.items():
        print_line(name, measured.seconds, measured.peak_mb)


if __name__ == "__main__":
    main()
