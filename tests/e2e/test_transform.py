"""dbt as the end of a run: the demonstration, and runs whose transform fails or has nothing to build."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.rest.collection import Collection
from sandbox.server import serve
from sandbox.settings import SandboxSettings

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_demonstration_changes_no_row(tmp_path: Path, prefect_url: str) -> None:
    for folder in ("deployments/clients", "deployments/platforms", "flows/clients", "dbt"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "target", "logs")
        )
    environment = {**os.environ, "PREFECT_API_URL": prefect_url, "COLUMNS": "160"}
    for name in ("PENSTOCK_PROJECT", "PENSTOCK_HOME", "PENSTOCK_PLATFORM", "PENSTOCK_SANDBOX_URL"):
        environment.pop(name, None)
    command = [str(Path(sys.executable).with_name("penstock")), "demo", "--at", "2026-03-20T06:00"]
    first, second = (
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False)
        for _ in range(2)
    )
    assert first.returncode == 0, first.stdout + first.stderr
    assert second.returncode == 0, second.stdout + second.stderr
    for table in ("gold.rpt_service_level_daily", "gold.agg_agents_daily", "gold.fct_contacts", "gold.dim_agents"):
        assert table in first.stdout
    assert "PHONE_CALL" in first.stdout
    assert "changed no row" not in first.stdout
    assert "changed no row" in second.stdout
    assert "Traceback" not in first.stderr + second.stderr


@pytest.fixture
def small(project: Any) -> Iterator[Any]:
    """A pipeline of one dataset, and a dbt project with one model over it."""
    records = [{"id": str(number), "size": "large" if number == 3 else str(number)} for number in range(5)]
    dbt = project.root / "dbt"
    (dbt / "models").mkdir(parents=True)
    (dbt / "dbt_project.yml").write_text(
        'name: small\nprofile: small\nversion: "1.0.0"\nflags: {send_anonymous_usage_stats: false}\n'
    )
    (dbt / "profiles.yml").write_text(
        "small:\n  target: duckdb\n  outputs:\n    duckdb:\n      type: duckdb\n"
        "      path: \"{{ env_var('PENSTOCK_WAREHOUSE_PATH') }}\"\n"
    )
    (dbt / "models" / "sources.yml").write_text(
        "sources:\n  - name: acme_rest\n    schema: acme_bronze\n"
        "    tables: [{name: things, identifier: rest__things}]\n"
    )
    with serve(SandboxSettings(collections={"things": Collection(records=records)})) as sandbox:
        project.write_platform(f'things-api: {{kind: rest, base_url: "{sandbox.url}/rest"}}')
        project.write_pipeline(
            "things",
            """
            source: {kind: rest, connection: things-api}
            window: {kind: full}
            load_strategy: {kind: full_refresh}
            datasets: [{name: things, path: /things, records: data}]
            """,
        )
        yield project


def write_model(project: Any, sql: str) -> None:
    text = f"{{{{ config(materialized='table') }}}}\n{sql} from {{{{ source('acme_rest', 'things') }}}}\n"
    (project.root / "dbt" / "models" / "sizes.sql").write_text(text)


def node_runs(unique_id: str) -> list[dict[str, Any]]:
    """What Prefect shows of a dbt node; its server records it a moment after the run."""
    deadline = time.monotonic() + 60
    while True:
        asked = {"task_runs": {"name": {"like_": "model"}}, "sort": "EXPECTED_START_TIME_DESC"}
        answer = httpx.post(f"{os.environ['PREFECT_API_URL']}/task_runs/filter", json=asked, timeout=30)
        found = [run for run in answer.raise_for_status().json() if run["dynamic_key"] == unique_id]
        # What dbt says of a failure comes with its results, after the node's end was told.
        if any(run["state"]["message"] not in (None, "error") for run in found) or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def test_a_failed_node_makes_the_run_red_and_keeps_the_load_and_the_rerun_builds_it(
    small: Any,
) -> None:
    at = "2026-03-20T10:00:00Z"
    write_model(small, "select id, cast(size as integer) as size")
    broken = small.run("things", transform=True, options={"at": at})

    assert not broken.is_green
    assert broken.transform.outcome == "failed"
    assert "sizes (error)" in broken.summary()
    assert broken.datasets[0].outcome == "loaded"

    assert small.query("select node_name, status, attempts from penstock.transforms") == [("sizes", "error", 1)]
    (shown,) = node_runs(broken.transform.nodes[0].unique_id)
    assert (shown["name"], shown["state_name"], shown["run_count"]) == ("model sizes", "Failed", 1)
    assert "large" in shown["state"]["message"]

    write_model(small, "select id, try_cast(size as integer) as size")
    mended = small.run("things", transform=True, options={"at": at})

    assert mended.is_green, mended.summary()
    assert mended.datasets[0].outcome == "already_loaded"
    assert [node.status for node in mended.transform.nodes] == ["success"]
    assert small.query("select count(*), count(size) from main.sizes") == [(5, 4)]


def test_a_selection_that_a_person_wrote_and_that_finds_nothing_is_a_failure(small: Any) -> None:
    write_model(small, "select id")
    path = small.root / "deployments" / "clients" / "acme" / "things.yaml"
    path.write_text(path.read_text() + 'transform: {select: ["tag:dayly"]}\n')
    report = small.run("things", transform=True)
    assert not report.is_green
    assert "tag:dayly" in report.summary()
