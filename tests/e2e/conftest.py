"""A project of its own for each test."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deployments.scaffolding import client_flow
from penstock.report import RunReport

PLATFORM = """
version: 1
platform: local
store: {store}
warehouse: {warehouse}
connections:
{connections}
dbt: {{target: duckdb}}
"""


FOLDER = '{kind: folder, path: "${PENSTOCK_HOME}/lake"}'
DUCKDB = '{kind: duckdb, path: "${PENSTOCK_HOME}/warehouse.duckdb"}'


class Project(NamedTuple):
    """A project folder; `run` runs a pipeline's flow in this process and returns its report."""

    root: Path

    def write_platform(
        self, connections: str, name: str = "local", more: str = "", *, store: str = FOLDER, warehouse: str = DUCKDB
    ) -> None:
        path = self.root / "deployments" / "platforms" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = PLATFORM.format(
            store=store, warehouse=warehouse, connections=textwrap.indent(textwrap.dedent(connections), "  ")
        )
        if name != "local":  # a lake and a warehouse of its own
            text = text.replace("platform: local", f"platform: {name}").replace(
                "PENSTOCK_HOME}/", f"PENSTOCK_HOME}}/{name}/"
            )
        path.write_text(text + textwrap.dedent(more))

    def write_pipeline(self, name: str, text: str) -> None:
        path = self.root / "deployments" / "clients" / "acme" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"version: 1\npipeline: {name}\nclient: acme\n" + textwrap.dedent(text))

    def run(self, pipeline: str, **parameters: Any) -> RunReport:
        from deployments.running import run_flow
        from tasks.definitions.project import find_project
        from tasks.definitions.reading import find_pipeline, read_pipeline

        project = find_project()
        spec = read_pipeline(find_pipeline(pipeline, project))
        return run_flow(project, spec, {"pipeline": pipeline, "transform": False, **parameters}).report

    def query(self, sql: str, platform: str = "local") -> list[tuple[Any, ...]]:
        return self.warehouse(platform).query(sql).rows

    def warehouse(self, platform: str = "local") -> Any:
        from tasks.definitions.project import find_project
        from tasks.definitions.reading import read_platform
        from tasks.environment import Environment

        return Environment(read_platform(platform, find_project(), connections=())).warehouse()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_url: str) -> Project:
    flow = tmp_path / "flows" / "clients" / "acme.py"
    flow.parent.mkdir(parents=True)
    flow.write_text(client_flow("acme"))
    monkeypatch.setenv("PENSTOCK_PROJECT", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", prefect_url)
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PENSTOCK_PLATFORM", raising=False)
    return Project(tmp_path)
