"""A project of its own for each test."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from penstock.report import RunReport

FLOW = '''
"""The client's flow."""
from __future__ import annotations
from prefect import flow
from flows.elt import run_pipeline
from penstock.plan import RunOptions
from penstock.strategy import LoadStrategy
from penstock.window import TimeWindow


@flow(name="acme", flow_run_name="{pipeline}")
def acme(
    pipeline: str,
    window: TimeWindow | None = None,
    load_strategy: LoadStrategy | None = None,
    datasets: list[str] | None = None,
    transform: bool = True,
    options: RunOptions = RunOptions(),
):
    return run_pipeline(
        pipeline, options, window=window, load_strategy=load_strategy, datasets=datasets, transform=transform
    )
'''

PLATFORM = """
version: 1
platform: local
store: {store}
warehouse: {{kind: duckdb, path: "${{PENSTOCK_HOME}}/warehouse.duckdb"}}
connections:
{connections}
dbt: {{target: duckdb}}
"""


FOLDER = '{kind: folder, path: "${PENSTOCK_HOME}/lake"}'


class Project(NamedTuple):
    """A project folder; `run` runs a pipeline's flow in this process and returns its report."""

    root: Path

    def write_platform(self, connections: str, *, store: str = FOLDER) -> None:
        path = self.root / "deployments" / "platforms" / "local.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PLATFORM.format(store=store, connections=textwrap.indent(textwrap.dedent(connections), "  ")))

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

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.warehouse().query(sql).rows

    def warehouse(self) -> Any:
        from tasks.definitions.project import find_project
        from tasks.definitions.reading import read_platform
        from tasks.environment import Environment

        return Environment(read_platform("local", find_project(), connections=())).warehouse()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefect_url: str) -> Project:
    flow = tmp_path / "flows" / "clients" / "acme.py"
    flow.parent.mkdir(parents=True)
    flow.write_text(FLOW)
    monkeypatch.setenv("PENSTOCK_PROJECT", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", prefect_url)
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PENSTOCK_PLATFORM", raising=False)
    return Project(tmp_path)
