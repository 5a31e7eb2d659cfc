"""Throw-away projects for benchmarks: a platform, a client, and one pipeline."""

from __future__ import annotations

import textwrap
from pathlib import Path

from deployments.scaffolding import client_flow


def write_project(root: Path, *, connections: str, pipeline: str) -> dict[str, str]:
    """Writes a project with one pipeline, `bench`, and returns the environment that leads the commands to it."""
    files = {
        "flows/clients/bench.py": client_flow("bench"),
        "deployments/platforms/local.yaml": "version: 1\nplatform: local\n"
        'store: {kind: folder, path: "${PENSTOCK_HOME}/lake"}\n'
        'warehouse: {kind: duckdb, path: "${PENSTOCK_HOME}/warehouse.duckdb"}\n'
        f"connections:\n{textwrap.indent(textwrap.dedent(connections).strip(), '  ')}\n"
        "dbt: {target: duckdb}\n",
        "deployments/clients/bench/bench.yaml": "version: 1\npipeline: bench\nclient: bench\n"
        + textwrap.dedent(pipeline),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {"PENSTOCK_PROJECT": str(root), "PENSTOCK_HOME": str(root / "home")}
